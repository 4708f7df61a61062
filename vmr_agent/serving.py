"""Settings of ``vmr serve``: where it listens, to whom, and how much it takes."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import Field, SecretStr, field_validator

from vmr_agent.limits import Group


class ServeSettings(Group):
    """The page in the browser."""

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen at. Anything but this machine's own needs a ``token``: whoever reaches the
    page can see the films on offer."""
    port: int = Field(default=7860, ge=1, le=65535)
    """TCP port; 7860 is where users of Gradio look first."""
    token: SecretStr | None = None
    """What a browser must bring (``…/?token=…``) to be let in; None lets in all who reach it."""
    max_upload: int = Field(default=4 * 2**30, gt=0)
    """Bytes of one uploaded film: two hours in good quality. They lie in ``home`` until the server
    ends."""
    answers: int = Field(default=200, ge=1)
    """Answers kept in memory for all pages together; older ones can no longer be exported."""

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < 16:
            raise ValueError("a token has 16 characters at least, or it is guessed")
        return token

    @property
    def private(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
