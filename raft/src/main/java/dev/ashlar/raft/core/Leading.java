package dev.ashlar.raft.core;

import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The leader of a term: replicates, commits, confirms reads (Raft §5.3, §5.4.2, thesis §6.4). */
final class Leading implements Behaviour {

  /** After so many election timeouts without progress a leader makes room for another. */
  private static final int STALLED_TIMEOUTS = 10;

  private final RaftCore core;
  private final CoreState state;
  private final TreeMap<MemberId, Progress> peers = new TreeMap<>();
  private final MembershipChange change;
  private final long firstIndex;
  private final long officeTick;
  private long round;
  private long heartbeatTick;
  private long progressTick;
  private Optional<Transfer> transfer = Optional.empty();

  Leading(RaftCore core, CoreState state) {
    this.core = core;
    this.state = state;
    this.change = new MembershipChange(this, state);
    this.firstIndex = state.log.lastIndex() + 1;
    this.officeTick = state.now;
    this.progressTick = state.now;
    this.heartbeatTick = state.now - state.options.heartbeatTicks();
  }

  /** Takes office: an entry of its own term lets it commit those before (Raft §5.4.2, §8). */
  void begin() {
    // The first message to each goes to where its log may end, and carries this entry.
    reconcilePeers();
    append(Entry.OVERHEAD_BYTES, new Payload.NoOp());
    state.reads.reset();
  }

  @Override
  public Role role() {
    return new Role.Leader();
  }

  /** Whether an entry of its own term is committed, so that it knows what is (thesis §6.4). */
  boolean hasCommittedInTerm() {
    return state.commit >= firstIndex;
  }

  SortedMap<MemberId, Progress> peers() {
    return peers;
  }

  Optional<Ready.Reason> refusal() {
    long uncommitted = state.log.bytes(state.commit, state.log.lastIndex());
    boolean full = uncommitted >= state.options.uncommittedBytesMax();
    return full || transfer.isPresent() ? Optional.of(Ready.Reason.BUSY) : Optional.empty();
  }

  void propose(long token, int bytes, Object content) {
    Optional<Ready.Reason> refusal = refusal();
    if (refusal.isPresent()) {
      state.out.reject(token, refusal.get());
    } else {
      state.out.accept(token, append(bytes, new Payload.Command(content)));
    }
  }

  void change(long token, Membership.Target target, Map<MemberId, String> addresses) {
    if (transfer.isPresent()) {
      state.out.reject(token, Ready.Reason.BUSY);
      return;
    }
    change.request(token, target, addresses);
  }

  /** Hands over leadership once the target has the whole log (thesis §3.10). */
  void transferTo(long token, MemberId target) {
    if (target.equals(state.self)) {
      return;
    }
    if (!state.membership().voters().contains(target)) {
      state.out.reject(token, Ready.Reason.NOT_A_VOTER);
    } else {
      transfer = Optional.of(new Transfer(target, state.now));
    }
  }

  /** Appends an entry of its term; it counts itself when that is durable (thesis §10.2.1). */
  EntryId append(int bytes, Payload payload) {
    if (state.commit == state.log.lastIndex()) {
      progressTick = state.now;
    }
    EntryId id = new EntryId(state.log.lastIndex() + 1, state.term);
    state.append(new Entry(id, bytes, payload));
    return id;
  }

  void accepted(MemberId from, Message.AppendAccepted response) {
    Progress peer = heard(from);
    if (peer == null || response.match() > state.log.lastIndex()) {
      return;
    }
    matched(peer, response.match());
  }

  void rejected(MemberId from, Message.AppendRejected response) {
    Progress peer = heard(from);
    if (peer == null || stopIfRegressed(from, peer, response.last())) {
      return;
    }
    boolean isAnswerToProbe =
        peer.state == Progress.State.PROBE && response.previous() == peer.next - 1;
    if (isAnswerToProbe) {
      long agreed = Math.min(response.hint().index(), response.previous() - 1);
      if (agreed >= state.log.base().index()) {
        agreed = state.log.lastWithTermAtMost(agreed, response.hint().term()).index();
      }
      // A hint says where to ask next, never what the peer has.
      peer.probeFrom(agreed + 1);
    } else if (peer.state == Progress.State.REPLICATE && response.previous() > peer.match) {
      peer.probeFrom(peer.match + 1);
    }
  }

  void heartbeatResponse(MemberId from, Message.HeartbeatResponse response) {
    Progress peer = heard(from);
    if (peer == null || response.match() > state.log.lastIndex()) {
      return;
    }
    peer.round = Math.max(peer.round, response.round());
    if (response.match() > peer.match) {
      matched(peer, response.match());
    }
    // Lost messages leave a gap that no later answer closes; and a peer that began anew does not
    // know
    // how far its log agrees, so no heartbeat can tell it what is committed.
    boolean lost =
        !peer.isIdle() && state.now - peer.oldestTick() > state.options.electionTicksMin();
    boolean forgot = peer.isIdle() && response.match() < peer.match;
    if (peer.state == Progress.State.REPLICATE && (lost || forgot)) {
      peer.probeFrom(peer.match + 1);
    }
    confirmReads();
  }

  void readIndex(MemberId from, Message.ReadIndex request) {
    heard(from);
    state.reads.add(from, request.nonce(), state.now);
  }

  /** A lane to a peer broke, or what was to be sent could not be read. */
  void lost(MemberId member) {
    Progress peer = peers.get(member);
    if (peer != null && peer.state == Progress.State.REPLICATE) {
      peer.probeFrom(peer.match + 1);
    }
  }

  @Override
  public void tick() {
    if (!Quorum.holds(state.membership(), this::isInContact)) {
      core.stepDown();
      return;
    }
    if (isDiskStalled()) {
      state.mustPersistBeforeCampaign = true;
      core.stepDown();
      return;
    }
    boolean waits = state.commit < state.log.lastIndex();
    long stalledTicks = (long) STALLED_TIMEOUTS * state.options.electionTicksMax();
    if (waits && state.now - progressTick > stalledTicks) {
      // Its log is the longest, so that it would be elected again at once: others are to try first.
      core.giveWay();
      return;
    }
    if (transfer.isPresent()
        && state.now - transfer.get().since() > state.options.electionTicksMax()) {
      transfer = Optional.empty();
    }
  }

  @Override
  public void persisted() {
    advanceCommit();
  }

  @Override
  public void prepare() {
    advanceCommit();
    if (change.advance()) {
      return;
    }
    reconcilePeers();
    sendHeartbeats();
    peers.forEach(this::sendTo);
    finishTransfer();
    // A leader that is all the quorum there is confirms at once.
    confirmReads();
  }

  @Override
  public boolean protectsLeader() {
    return true;
  }

  /** Whether the member has answered within the longest election timeout. */
  boolean isInContact(MemberId member) {
    return silentTicks(member) <= state.options.electionTicksMax();
  }

  /** For how long nothing was heard of a member. */
  long silentTicks(MemberId member) {
    Progress peer = peers.get(member);
    if (member.equals(state.self)) {
      return 0;
    }
    return state.now - (peer == null ? officeTick : peer.contactTick);
  }

  /** Whether a member lacks no more than one message holds. */
  boolean isCaughtUp(MemberId member) {
    if (member.equals(state.self)) {
      return true;
    }
    Progress peer = peers.get(member);
    return peer != null
        && peer.state == Progress.State.REPLICATE
        && peer.match >= state.log.base().index()
        && state.log.bytes(peer.match, state.log.lastIndex()) <= state.options.appendBytesMax();
  }

  private @Nullable Progress heard(MemberId from) {
    Progress peer = peers.get(from);
    if (peer != null) {
      peer.contactTick = state.now;
    }
    return peer;
  }

  private void matched(Progress peer, long match) {
    peer.matched(match);
    boolean agrees =
        peer.state == Progress.State.PROBE
            || (peer.state == Progress.State.SNAPSHOT && peer.match >= state.log.base().index());
    if (agrees) {
      peer.replicate();
    }
    advanceCommit();
  }

  private boolean stopIfRegressed(MemberId from, Progress peer, long last) {
    if (last >= peer.match) {
      return false;
    }
    state.out.send(from, new Message.LogRegressed(state.term, peer.match));
    return true;
  }

  /**
   * "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and
   * log[N].term == currentTerm: set commitIndex = N" (Raft figure 2, §5.4.2).
   */
  private void advanceCommit() {
    long reached = Quorum.reached(state.membership(), this::matchOf);
    if (reached > state.commit && state.log.id(reached).term() == state.term) {
      state.advanceCommit(reached);
      progressTick = state.now;
    }
    state.askToApply();
  }

  private long matchOf(MemberId member) {
    if (member.equals(state.self)) {
      return state.durability.durable();
    }
    Progress peer = peers.get(member);
    return peer == null ? 0 : peer.match;
  }

  /** Its oldest write stands still while a quorum without it has those entries. */
  private boolean isDiskStalled() {
    long since = state.durability.oldestSince().orElse(state.now);
    if (state.now - since <= state.options.electionTicksMax()) {
      return false;
    }
    long index = state.durability.oldestIndex();
    return Quorum.holds(
        state.membership(), member -> !member.equals(state.self) && matchOf(member) >= index);
  }

  private void reconcilePeers() {
    for (MemberId member : state.membership().members()) {
      if (!member.equals(state.self)) {
        peers.computeIfAbsent(member, m -> new Progress(state.log.lastIndex() + 1, state.now));
      }
    }
    peers
        .entrySet()
        .removeIf(peer -> !state.membership().contains(peer.getKey()) && change.mayForget(peer));
  }

  private void sendHeartbeats() {
    boolean due = state.now - heartbeatTick >= state.options.heartbeatTicks();
    boolean confirms =
        hasCommittedInTerm() && state.reads.hasUnjoined() && confirmedRound() == round;
    if (!due && !confirms) {
      return;
    }
    round++;
    if (due) {
      heartbeatTick = state.now;
    }
    if (hasCommittedInTerm()) {
      // A round that starts now confirms what has arrived before.
      state.reads.join(round, state.commit);
    }
    peers.forEach(this::heartbeat);
  }

  private void heartbeat(MemberId to, Progress peer) {
    state.out.send(to, new Message.Heartbeat(state.term, state.commit, round));
    peer.commitSent = state.commit;
  }

  private long confirmedRound() {
    return Quorum.reached(
        state.membership(),
        member -> {
          Progress peer = peers.get(member);
          return member.equals(state.self) ? round : peer == null ? 0 : peer.round;
        });
  }

  private void confirmReads() {
    if (!state.reads.isEmpty()) {
      state.reads.confirm(confirmedRound(), state.term, state.out);
    }
  }

  private void sendTo(MemberId to, Progress peer) {
    if (peer.state != Progress.State.SNAPSHOT && peer.next - 1 < state.log.base().index()) {
      peer.snapshot();
    }
    switch (peer.state) {
      case SNAPSHOT -> {
        if (state.now - peer.askedTick >= state.options.heartbeatTicks()) {
          peer.askedTick = state.now;
          state.out.send(to, new Message.InstallSnapshot(state.term, state.log.base()));
        }
      }
      case PROBE -> probe(to, peer);
      case REPLICATE -> replicate(to, peer);
    }
  }

  private void probe(MemberId to, Progress peer) {
    if (state.now - peer.askedTick < 2L * state.options.heartbeatTicks()) {
      return;
    }
    peer.askedTick = state.now;
    EntryId previous = state.log.id(peer.next - 1);
    boolean small =
        state.log.bytes(previous.index(), state.log.lastIndex()) <= state.options.probeBytesMax();
    range(to, peer, previous, small ? state.log.last() : previous);
  }

  private void replicate(MemberId to, Progress peer) {
    while (peer.next <= state.log.lastIndex() && peer.isWindowOpen(state.options)) {
      EntryId previous = state.log.id(peer.next - 1);
      EntryId last =
          state.log.cut(
              previous.index(), state.options.appendBytesMax(), state.options.appendEntriesMax());
      range(to, peer, previous, last);
      peer.sent(last.index(), state.log.bytes(previous.index(), last.index()), state.now);
    }
    if (peer.isIdle() && peer.commitSent < state.commit) {
      heartbeat(to, peer);
    }
  }

  private void range(MemberId to, Progress peer, EntryId previous, EntryId last) {
    state.out.replicate(new Ready.Range(to, state.term, previous, last, state.commit));
    peer.commitSent = state.commit;
  }

  private void finishTransfer() {
    if (transfer.isEmpty()) {
      return;
    }
    Progress peer = peers.get(transfer.get().target());
    if (peer != null && peer.match == state.log.lastIndex() && !transfer.get().asked()) {
      state.out.send(transfer.get().target(), new Message.TimeoutNow(state.term));
      transfer = Optional.of(transfer.get().withAsked());
    }
  }

  /** Leaves office to the member that has most, when it is no longer a voter (thesis §4.2.2). */
  void leave() {
    state.membership().voters().stream()
        .filter(member -> peers.containsKey(member) && isInContact(member))
        .max((a, b) -> Long.compare(matchOf(a), matchOf(b)))
        .ifPresent(next -> state.out.send(next, new Message.TimeoutNow(state.term)));
    core.stepDown();
  }

  private record Transfer(MemberId target, long since, boolean asked) {
    Transfer(MemberId target, long since) {
      this(target, since, false);
    }

    Transfer withAsked() {
      return new Transfer(target, since, true);
    }
  }
}
