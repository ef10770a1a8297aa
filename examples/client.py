"""Brings a stack up from a program, follows it, and says what came of it: see docs/howto/python-client.md."""

from __future__ import annotations

import os
import sys

from terrace.client import ApiError, Client, Trust, UnreachableError

TEMPLATE = """\
heat_template_version: 2021-04-16
parameters: {greeting: {type: string, default: hello}}
resources:
  password: {type: OS::Heat::RandomString, properties: {length: 12}}
  told: {type: OS::Heat::Value, properties: {value: {get_param: greeting}}}
outputs:
  greeting: {value: {get_attr: [told, value]}}
"""


def main(server: str) -> int:
    """Applies the template at `server`; the exit code."""
    token = os.environ.get("MY_TOKEN", "")
    trust = Trust(ca_file=os.environ.get("MY_CA", ""))
    wish = {
        "template": "greeting.yaml",
        "files": {"greeting.yaml": TEMPLATE},
        "parameters": {"greeting": "good morning"},
    }
    with Client(server, project="default", token=token, trust=trust) as client:
        try:
            plan = client.stacks.plan("greeting", wish)
            print("would change:", [item["path"] for item in plan["items"] if item["what"] != "nothing"])
            stack = client.stacks.apply("greeting", wish, wait=30)
            print("phase:", stack["phase"])
            for resource in client.views.resources("greeting"):
                print(f"  {resource['path']}: {resource['state']}")
            print("says:", client.views.output("greeting", "greeting")["value"])
            for event in client.streams.newest_events("greeting", limit=1):
                print("last event:", event["kind"])
            client.stacks.delete("greeting", if_match=stack["generation"])
        except ApiError as error:
            print(f"refused ({error.status}, {error.code}): {error.message}. {error.hint}", file=sys.stderr)
            return 1
        except UnreachableError as error:
            print(error.message, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
