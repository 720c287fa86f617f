"""`python -m infra.settings`: infra/settings.json, the settings that Terraform passes on, with their bounds.

Made from the model that validates them in the functions, so that a name or a bound can't differ:
Terraform reads the file and refuses at the plan what a function would refuse at its start.
"""

import json
import sys
from typing import Any

from shared.config import Google, Settings

ONE_MACHINE = {"google", "home", "callback_secret", "clock", "workers"}
"""Fields that mean nothing where every function is a process of its own, without a disk."""
OF_GOOGLE = {"proxies"}
"""Fields of `Google` that a team may set: the others say where its parts are, which Terraform knows."""
SAID = (
    "type",
    "exclusiveMinimum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "enum",
    "default",
)
"""What of JSON Schema the model uses. Terraform knows these, and a test that there are no others."""


def described() -> dict[str, dict[str, Any]]:
    """The settings of an instance in the cloud: by name, all that the models say of them."""
    own, google = (model.model_json_schema()["properties"] for model in (Settings, Google))
    return {name: own[name] for name in own.keys() - ONE_MACHINE} | {name: google[name] for name in OF_GOOGLE}


def settings() -> dict[str, dict[str, Any]]:
    """The same, and of each what Terraform knows."""
    return {
        name: {key: said[key] for key in SAID if key in said} for name, said in sorted(described().items())
    }


def text() -> str:
    """The file as it is committed."""
    return json.dumps(settings(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
