"""How fast to encode, by what wormhole says of the flow. Pure: no clock, no socket, no GStreamer."""
import json


class BitrateControl:
    """AIMD: down at once to what the link carries, slowly up again.

    Rates are bits a second of video. The link's capacity counts IP packets and the loss that it
    takes to learn of a limit, so a part of it is left free.
    """
    SHARE = 0.85        # of the capacity, for headers (RTP, UDP, IP, wormhole's) and to drain the queue
    RISE = 0.08         # a second: twice as much in 9 s
    HOLD_S = 2.0        # after a cut: first the queue has to drain
    PAUSE_S = 0.5       # between two cuts: one round trip of slow links, and the report
    SILENCE_S = 30.0    # without any news of a limit, what was said before means nothing

    def __init__(self, flow, lowest, highest, start=None):
        self.flow, self.lowest, self.highest = flow, float(lowest), float(highest)
        self.rate = self._within(start if start is not None else (lowest * highest) ** 0.5)
        self.state, self._cut, self._ticked, self._told = "app_limited", None, None, None

    def _within(self, rate):
        return min(self.highest, max(self.lowest, float(rate)))

    def on_event(self, event, now):
        """A line that was read. True: make a keyframe, the receiver may have missed something."""
        if event.get("event") == "path":
            return event.get("path") in ("relay", "direct")
        if event.get("event") != "flow" or event.get("flow") != self.flow:
            return False
        self.state, self._told = event.get("state", "app_limited"), now
        if self.state == "limit":
            self._cut_to(event, now)
        return False

    def _cut_to(self, event, now):
        if self._cut is not None and now - self._cut < self.PAUSE_S:
            return
        known = event.get("capacity_bps") or event.get("delivered_bps") or self.rate
        target = self._within(self.SHARE * known)
        if target < self.rate:
            self.rate, self._cut = target, now

    def on_tick(self, now):
        """Every 100 ms or so; returns the rate to encode at."""
        since = 0.0 if self._ticked is None else now - self._ticked
        self._ticked = now
        if self.state == "limit" and self._told is not None and now - self._told > self.SILENCE_S:
            self.state = "app_limited"
        rests = self._cut is not None and now - self._cut < self.HOLD_S
        # `lossy` is no reason to go down: a lower rate would lose as much.
        if self.state != "limit" and not rests:
            self.rate = self._within(self.rate * (1 + self.RISE) ** since)
        return self.rate


def parse_line(data):
    """A datagram of `wormhole client --notify`; None when it is none."""
    try:
        event = json.loads(data)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
