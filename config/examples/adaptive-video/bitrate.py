"""How fast to encode, by what wormhole says of the flow. Pure: no clock, no socket, no GStreamer."""
import json


class BitrateControl:
    """Down at once to what the link carries, and up again: quickly to where it carried before, carefully over that,
    quickly again where nothing is known to be in the way.

    Rates are bits a second of video. The link's capacity counts IP packets, and what waits has to go, too, so a part
    of it is left free. Near the capacity all who share it add the same and cut in proportion, so they come to equal
    rates (Chiu and Jain, 1989).
    """
    SHARE = 0.8         # of the capacity: some 5 % are headers (RTP, UDP, IP, wormhole's); the rest empties the queues
    FAST = 0.2          # a second, where there is room: twice as much in 4 s
    STEP = 80e3         # bits a second, each second, near the capacity …
    SLOW = 0.02         # … or so much of the rate, where that is more
    BEYOND = 1.05       # of the capacity told last: from there on it must have grown
    PAUSE_S = 0.5       # between two cuts: one round trip of slow links, and the report
    SILENCE_S = 30.0    # without any news of a limit, what was said before means nothing

    def __init__(self, flow, lowest, highest, start=None):
        self.flow, self.lowest, self.highest = flow, float(lowest), float(highest)
        self.rate = self._within(start if start is not None else (lowest * highest) ** 0.5)
        self.state, self.known = "app_limited", 0.0
        self._cut, self._ticked, self._told = None, None, None

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
            self.known = event.get("capacity_bps") or event.get("delivered_bps") or self.known
            self._cut_at(now)
        return False

    def _cut_at(self, now):
        target = self._within(self.SHARE * self.known)
        resting = self._cut is not None and now - self._cut < self.PAUSE_S
        if self.known > 0 and target < self.rate and not resting:
            self.rate, self._cut = target, now

    def on_tick(self, now):
        """Every 100 ms or so; returns the rate to encode at."""
        since = 0.0 if self._ticked is None else now - self._ticked
        self._ticked = now
        limited = self.state == "limit" and now - self._told < self.SILENCE_S
        if limited:
            self._cut_at(now)
        # `lossy` is no reason to go down: a lower rate would lose as much.
        free = self.SHARE * self.known
        if self.rate < free:
            self.rate = self._within(min(free, self.rate * (1 + self.FAST) ** since))
        elif not limited and self.rate > self.BEYOND * self.known:
            self.rate = self._within(self.rate * (1 + self.FAST) ** since)
        elif not limited:
            self.rate = self._within(self.rate + max(self.STEP, self.SLOW * self.rate) * since)
        return self.rate


def parse_line(data):
    """A datagram of `wormhole client --notify`; None when it is none."""
    try:
        event = json.loads(data)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
