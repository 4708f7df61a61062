"""The folder that a network is trained into: what was asked for, how far it is, what came of it.

    OUT/weights.safetensors, OUT/card.json    the network, when it is done
    OUT/.training/recipe.json                 what was asked for, and whether it is done
    OUT/.training/state.pt                    all that the training knew after its last epoch

Every file is whole at any instant: a training that is killed goes on from its last epoch.
"""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vmr_agent.errors import MachineError, TrainingError

CARD = "card.json"
Recipe = dict[str, Any]
"""All that decides what comes out, by its name for people."""


class Place:
    """``begin`` first; it is this process's alone until ``leave``."""

    def __init__(self, out: Path, recipe: Recipe) -> None:
        self._out, self._recipe = out, recipe
        self._folder = out / ".training"
        self._told, self._state = self._folder / "recipe.json", self._folder / "state.pt"
        self._lock = FileLock(self._folder / "lock")

    def begin(self, fresh: bool) -> bool:
        """Whether all is done already.

        Raises TrainingError, by name, if something else was begun here, unless ``fresh``, which
        begins anew; and MachineError where nothing can be written.
        """
        self._enter()
        with ExitStack() as refused:
            refused.callback(self.leave)
            done = self._begun(fresh)
            refused.pop_all()
        return done

    def keep(self, state: bytes) -> None:
        """The state after an epoch, in place of the last one."""
        self._write(self._state, state)

    def kept(self) -> bytes | None:
        """The last state, if there is any."""
        try:
            return self._state.read_bytes()
        except FileNotFoundError:
            return None

    def finish(self) -> None:
        """The network is written: nothing is left to be gone on with."""
        self._tell(done=True)
        self._state.unlink(missing_ok=True)

    def leave(self) -> None:
        """Others may train here."""
        self._lock.release()

    def _begun(self, fresh: bool) -> bool:
        known = None if fresh else self._known()
        if known is None:
            if not fresh and (self._out / CARD).exists():
                raise TrainingError(
                    f"{str(self._out)!r} holds weights that were not trained by this command: "
                    "give --fresh to replace them, or another --out"
                )
            self._state.unlink(missing_ok=True)
            self._tell(done=False)
            return False
        differ = [
            f"{name} {known['recipe'].get(name)}, not {self._recipe.get(name)}"
            for name in sorted(known["recipe"].keys() | self._recipe.keys())
            if known["recipe"].get(name) != self._recipe.get(name)
        ]
        if differ:
            raise TrainingError(
                f"{str(self._out)!r} was begun with {'; '.join(differ)}: "
                "give --fresh to begin anew, or another --out"
            )
        return known["done"] is True and (self._out / CARD).exists()

    def _enter(self) -> None:
        if self._out.exists() and not self._out.is_dir():
            raise TrainingError(f"{str(self._out)!r} is a file: give --out a folder")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise TrainingError(
                f"another process is training into {str(self._out)!r}: wait, or give another --out"
            ) from error
        except OSError as error:
            raise self._unwritable(error) from error

    def _known(self) -> dict[str, Any] | None:
        try:
            known = json.loads(self._told.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            known = None
        if not (isinstance(known, dict) and isinstance(known.get("recipe"), dict)):
            raise TrainingError(
                f"{str(self._told)!r} is damaged: give --fresh to begin anew, or another --out"
            )
        return {"done": False, **known}

    def _tell(self, done: bool) -> None:
        told = {"recipe": self._recipe, "done": done}
        self._write(self._told, (json.dumps(told, indent=1) + "\n").encode())

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(f"{path.name}.part")  # one process writes, and one name is enough
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> MachineError:
        reason = error.strerror or str(error)
        return MachineError(
            f"cannot write to {str(self._out)!r} ({reason}): free some room or give another --out"
        )
