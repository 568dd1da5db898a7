"""P2 and P3 by chance: whatever is lost, doubled, reordered or late, each client has a prefix of the log and reaches its head."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from tests.plain.delivery_world import MEMORY_BYTES, Client, Log, Process
from tests.support.random_input import many

PROCESSES = 2
CLIENTS = 4
ROUNDS = 200  # of settling; each brings a page or a frame

process = st.integers(0, PROCESSES - 1)
client = st.integers(0, CLIENTS - 1)


class Delivery(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.processes = [Process(self.log) for _ in range(PROCESSES)]
        self.clients = [Client() for _ in range(CLIENTS)]
        for number, each in enumerate(self.clients):
            each.connect(self.processes[number % PROCESSES])

    @rule(count=st.integers(1, 4))
    def append(self, count: int) -> None:
        hint = self.log.append(count)
        for each in self.processes:
            each.hints.append(hint)

    @rule(count=st.integers(1, 2), frames=st.integers(0, 2))
    def all_goes_well(self, count: int, frames: int) -> None:
        """The usual case: the hint arrives at once, and clients read some of it."""
        hint = self.log.append(count)
        for here in self.processes:
            here.receive(hint, whole=True)
        for each in self.clients:
            for _ in range(frames):
                each.take()

    @rule(seq=st.integers(1, 40))
    def compact(self, seq: int) -> None:
        self.log.compact(seq)

    @rule(head=st.integers(0, 40))
    def restore(self, head: int) -> None:
        self.log.restore(head)

    @rule(process=process, which=st.integers(0, 5), whole=st.booleans(), again=st.booleans())
    def hint_arrives(self, process: int, which: int, *, whole: bool, again: bool) -> None:
        here = self.processes[process]
        if which < len(here.hints):
            here.receive(here.hints[which] if again else here.hints.pop(which), whole=whole)

    @rule(process=process)
    def next_hint_arrives(self, process: int) -> None:
        self.hint_arrives(process, 0, whole=True, again=False)

    @rule(process=process)
    def hints_are_lost(self, process: int) -> None:
        self.processes[process].hints.clear()

    @rule(process=process)
    def read_begins(self, process: int) -> None:
        self.processes[process].begin_read()

    @rule(process=process)
    def read_ends(self, process: int) -> None:
        self.processes[process].end_read()

    @rule(process=process)
    def read_fails(self, process: int) -> None:
        self.processes[process].lose_read()

    @rule(process=process)
    def tail_is_checked(self, process: int) -> None:
        self.processes[process].tail_check()

    @rule(client=client, process=process)
    def client_connects(self, client: int, process: int) -> None:
        self.clients[client].connect(self.processes[process])

    @rule(client=client)
    def client_is_cut(self, client: int) -> None:
        self.clients[client].disconnect()

    @rule(client=client, frames=st.integers(1, 5))
    def client_reads(self, client: int, frames: int) -> None:
        for _ in range(frames):
            self.clients[client].take()

    @invariant()
    def each_client_has_a_prefix(self) -> None:
        for each in self.clients:
            seqs = [seq for seq, _ in each.applied]
            assert seqs == sorted(set(seqs)), "doubled or reordered"
            assert all(self.log.written[each.epoch, seq] == text for seq, text in each.applied), "never in the log"
            if each.epoch == self.log.epoch:
                owed = {seq for seq in self.log.events if each.begin < seq <= each.cursor}
                assert owed <= set(seqs), "missing"

    @invariant()
    def send_buffers_are_bounded(self) -> None:
        for each in self.clients:
            assert each.subscription is None or len(each.subscription.send_buffer) <= 10

    @invariant()
    def frames_are_bounded(self) -> None:
        for here in self.processes:
            assert here.memory.newest.used + here.memory.history.used <= MEMORY_BYTES

    @override
    def teardown(self) -> None:
        """Ends all faults: hints are lost, one tail check is made, reads and frames arrive. All clients reach the head."""
        for each in self.clients:
            if each.process is None:
                each.connect(self.processes[0])
        for here in self.processes:
            here.hints.clear()
            here.tail_check()
        for _ in range(ROUNDS):
            for here in self.processes:
                here.end_read()
                here.begin_read()
            for each in self.clients:
                each.take()
        for each in self.clients:
            assert (each.epoch, each.cursor) == (self.log.epoch, self.log.head), "not at the head"
        self.each_client_has_a_prefix()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=many(200), stateful_step_count=50, deadline=None)
