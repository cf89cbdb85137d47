"""Listens with oslo.messaging's own notification listener, as Ceilometer does; prints a JSON line a notification."""

import json
import sys

import oslo_messaging
from oslo_config import cfg

options = json.loads(sys.argv[1])
conf = cfg.CONF
conf([])
transport = oslo_messaging.get_notification_transport(conf, url=options["url"])


def say(line):
    """One write for each line: the listener has several threads."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Endpoint:
    def info(self, *notification):
        self._show("info", *notification)

    def error(self, *notification):
        self._show("error", *notification)

    def _show(self, priority, context, publisher_id, event_type, payload, metadata):
        line = {
            "priority": priority,
            "context": context,
            "publisher_id": publisher_id,
            "event_type": event_type,
            "payload": payload,
            "metadata": metadata,
        }
        say(line)


target = oslo_messaging.Target(topic="notifications", exchange="glance")
listener = oslo_messaging.get_notification_listener(
    transport, [target], [Endpoint()], executor="threading"
)
listener.start()
say({"listening": True})
listener.wait()
