"""Installs Debian packages that tests need, where this user may."""

import os
import shutil
import subprocess


def install(*packages: str) -> None:
    """Does nothing where apt is missing, or this user may not use it."""
    apt = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    if shutil.which(apt[0]) and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run([*apt, *words], env=environment, stdout=subprocess.DEVNULL, check=False)
