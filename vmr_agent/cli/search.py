"""``vmr search``: a shortlist over all films indexed so far."""

from __future__ import annotations

from vmr_agent.cli.options import AsJson, Limit, Profile, Question, Quiet, Set, settings
from vmr_agent.cli.streams import answer, dump, say, work


def search(
    query: Question,
    limit: Limit = 10,
    profile: Profile = None,
    set_: Set = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Look for QUERY in all films indexed so far.

    A shortlist of what is seen, said or written there; nothing of it is verified.

    Examples:

    vmr search "a cup of coffee"
    vmr search "a rocket on the launch pad" --limit 3 --json
    """
    with work(quiet):
        from vmr_agent.agent import VMRAgent
        from vmr_agent.show import shortlist

        hits = VMRAgent(settings(profile, set_)).search(query, limit)
    if not hits:
        say("nothing found; only films given to vmr index or vmr find are searched")
    text = dump([hit.model_dump(mode="json") for hit in hits]) if as_json else shortlist(hits)
    answer(text, 0 if hits else 1)
