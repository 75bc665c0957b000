"""A folder with the AWS provider that is locked, so that Terraform need not download it."""

import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.package import CHECKOUT

_PROVIDER = Path("registry.terraform.io") / "hashicorp" / "aws"
_MIRROR_VARIABLE = "LAKEGATE_TERRAFORM_MIRROR"
_SEARCH_SECONDS = 5.0


class MirrorUnusable(Exception):
    """The message says what to do; it is for people."""


def find_mirror(work_dir: Path) -> Path | None:
    """A folder with the locked provider for this machine, so that nothing need be downloaded.

    Looked for in our environment variable, where Terraform itself would look, and then for some seconds in
    the places where administrators put such things. The answer is kept, also when there is none.
    Raises MirrorUnusable.
    """
    remembered = work_dir / "terraform-mirror.txt"
    version = _locked_version()
    if given := os.environ.get(_MIRROR_VARIABLE):
        if not _holds_provider(Path(given), version):
            raise MirrorUnusable(f"{_MIRROR_VARIABLE}={given} does not hold {_PROVIDER} {version}.")
        return Path(given)
    if remembered.exists():
        known = remembered.read_text()
        if not known or _holds_provider(Path(known), version):
            return Path(known) if known else None
    home = Path.home()
    data_dirs = os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    implied = [
        home / ".terraform.d" / "plugins",
        Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share")) / "terraform" / "plugins",
        home / "Library" / "Application Support" / "io.terraform" / "plugins",
        *(Path(folder) / "terraform" / "plugins" for folder in data_dirs),
    ]
    deadline = time.monotonic() + _SEARCH_SECONDS
    found = next((root for root in implied if _holds_provider(root, version)), None) or next(
        (root for root in _search(deadline) if _holds_provider(root, version)), None
    )
    remembered.write_text(str(found or ""))
    return found


def _locked_version() -> str:
    lock = (CHECKOUT / "terraform" / "environments" / "local" / ".terraform.lock.hcl").read_text()
    version = re.search(r'hashicorp/aws" \{\s+version\s+= "([^"]+)"', lock)
    return version[1] if version else ""


def _holds_provider(root: Path, version: str) -> bool:
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = f"{sys.platform}_{architecture.lower()}"
    provider = root / _PROVIDER
    packed = provider / f"terraform-provider-aws_{version}_{system}.zip"
    return (provider / version / system).is_dir() or packed.is_file()


def _search(deadline: float) -> Iterator[Path]:
    """Folders, at most four levels deep, that have a folder registry.terraform.io; until the deadline."""
    level = [Path(root) for root in ("/opt", "/srv", "/var/lib", "/usr/share", "/mnt", "/data")]
    for _ in range(4):
        deeper: list[Path] = []
        for folder in level:
            if time.monotonic() > deadline:
                return
            try:
                inside = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue
            if any(entry.name == _PROVIDER.parts[0] for entry in inside):
                yield folder
            deeper += [Path(entry.path) for entry in inside if not entry.name.startswith(".")]
        level = deeper
