"""``vmr completion``: a script that teaches a shell the words of this command line."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from vmr_agent.cli.streams import answer

ASKED = "_VMR_COMPLETE"
"""Set by the script when a shell asks for words: then ``vmr`` does nothing else."""
SCRIPTS = {
    "bash": r"""
_vmr_completion() {
    local IFS=$'\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
                   _VMR_COMPLETE=complete_bash "$1" 2>/dev/null ) )
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -o default -F _vmr_completion vmr
""",
    "zsh": r"""
#compdef vmr
_vmr_completion() {
    eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _VMR_COMPLETE=complete_zsh vmr)
}
compdef _vmr_completion vmr
""",
    "fish": r"""
function __vmr_completion
    env _VMR_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \
        _TYPER_COMPLETE_ARGS=(commandline -cp) vmr
end
complete --command vmr --no-files --arguments "(__vmr_completion get-args)" \
    --condition "__vmr_completion is-args"
""",
}
"""As typer's own; but in bash no space comes after a setting: ``verify.accept=``."""

Shell = Annotated[
    Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="bash, zsh or fish.")
]


def completion(shell: Shell) -> None:
    """Print a script that completes words in SHELL.

    Commands, options, choices and settings. It goes where the shell looks for such scripts: here
    nothing is written but to stdout.

    Examples:

    vmr completion bash > ~/.local/share/bash-completion/completions/vmr
    vmr completion zsh > ~/.zfunc/_vmr
    vmr completion fish > ~/.config/fish/completions/vmr.fish
    """
    answer(SCRIPTS[shell].lstrip(), 0)


def learn() -> None:
    """Make ``vmr`` ready to answer a shell; costs nothing where none asks."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()  # it registers the shells
