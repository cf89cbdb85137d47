"""Calls Glimpse with oslo.messaging's own RPC client, as a service of OpenStack does; prints a JSON line a step."""

import json
import os
import sys

import oslo_messaging
from oslo_config import cfg

options = json.loads(sys.argv[1])
conf = cfg.CONF
conf([])
# Makes the options of the driver known, so that they can be set.
oslo_messaging.get_rpc_transport(conf, url=options["url"])
for name, value in options.get("driver", {}).items():
    conf.set_override(name, value, "oslo_messaging_rabbit")
transport = oslo_messaging.get_rpc_transport(
    conf, url=options["url"], allowed_remote_exmods=options.get("allowed", [])
)

for step in options["steps"]:
    target = oslo_messaging.Target(
        exchange=options.get("exchange", "glimpse.snapshots"),
        topic="snapshots",
        version=step.get("version", "1.0"),
        namespace=step.get("namespace"),
    )
    client = oslo_messaging.get_rpc_client(transport, target, timeout=step.get("timeout", 20))
    context = step.get("context", {})
    try:
        if step.get("cast"):
            client.cast(context, step["method"], **step["args"])
            outcome = {"cast": True}
        else:
            outcome = {"result": client.call(context, step["method"], **step["args"])}
    except Exception as error:
        outcome = {
            "raised": type(error).__name__,
            "bases": [base.__name__ for base in type(error).__mro__],
            "exc_type": getattr(error, "exc_type", None),
            "value": getattr(error, "value", None),
            "text": str(error),
        }
    print(json.dumps(outcome), flush=True)
# A clean end waits for ten seconds for replies that nobody expects.
sys.stdout.flush()
os._exit(0)
