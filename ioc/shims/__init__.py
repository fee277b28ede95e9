"""Everything that softbeam changes in caproto 1.3, in one place, each with its reason.

In context.py:

1. TCP_NODELAY on accepted sockets. caproto makes its listening socket with protocol number 0, and asyncio
   sets TCP_NODELAY only where it is IPPROTO_TCP: a monitor and a put reply become two small packets, and the
   second waits 40 ms for the client's delayed acknowledgement.
2. One port, TCP and UDP alike, taken exclusively. caproto goes to a random TCP port if its own is taken, and
   shares the UDP port with whoever is there, who then answers half of the searches.
3. An end: ``close`` returns when sockets and tasks are gone.

In search.py:

4. Searches are answered at once, a datagram for a datagram, with the sequence number that libca paces its
   searches by. caproto takes each apart into objects, and leaves the number out.
5. Beacons without noise: from loopback none, as nobody listens; elsewhere a host that refuses one is no
   traceback.

In circuit.py and outbox.py:

6. Order. caproto sends put replies at once and monitors through two queues, so the reply of a finished move
   may overtake the last DMOV. Here all that leaves a circuit goes through one outbox, in its order.
7. Bursts. caproto's batching holds updates for up to a second under load and drops the newest with the
   oldest. Here a circuit sends whatever has gathered while the last write was under way, and a slow client
   loses the oldest updates of a subscription, never the newest.
8. Masks. caproto sends value changes to subscribers of properties as well, and the reverse.
9. Speed. Gets, puts and monitors are answered from the bytes of the request, without caproto's objects and
   state machines: a get costs it 300 us. A monitor is encoded once for all who ask for the same.
10. Answers as EPICS gives them: ECA_NOWTACCESS, ECA_PUTFAIL, ECA_BADTYPE and ECA_GETFAIL, padding of short
    arrays, and the reason in plain words. caproto says ``Python exception`` and has one status for all.
11. Who asks: channels are told the address of the client's socket, and whether it waits for completion.

What caproto still does: versions and names of clients, channels with filters, flow control (decision 14).
Each of these that stock caproto shows from outside has a test that fails when it does so no more.
"""

from ioc.shims.context import Context, PortTakenError

__all__ = ["Context", "PortTakenError"]
