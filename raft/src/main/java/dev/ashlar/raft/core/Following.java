package dev.ashlar.raft.core;

import java.util.List;
import java.util.Optional;

/** A follower or learner: takes the leader's log, or waits for a leader (Raft §5.2, §5.3). */
final class Following implements Behaviour {

  private final RaftCore core;
  private final CoreState state;
  private final int timeoutTicks;
  private Optional<MemberId> leader;
  private int elapsedTicks;
  private long readAskedTick;

  /** Up to where the log is known to be that of this term's leader. */
  private long verified;

  Following(RaftCore core, CoreState state, Optional<MemberId> leader) {
    this.core = core;
    this.state = state;
    this.leader = leader;
    this.timeoutTicks = state.randomElectionTicks();
  }

  @Override
  public Role role() {
    return new Role.Follower(leader);
  }

  Optional<MemberId> leader() {
    return leader;
  }

  /** A message of this term's leader has come. */
  void heard(MemberId from) {
    if (leader.isPresent() && !leader.get().equals(from)) {
      throw new RaftFault(
          RaftFault.Kind.TWO_LEADERS,
          "term " + state.term + " has two leaders, " + leader.get() + " and " + from);
    }
    leader = Optional.of(from);
    elapsedTicks = 0;
  }

  /** Waits for others to lead, twice the longest election timeout more. */
  void waitLonger() {
    elapsedTicks = -2 * state.options.electionTicksMax();
  }

  /** Having voted, it waits as long as for a leader (Raft figure 2, "Followers"). */
  void voted() {
    elapsedTicks = 0;
  }

  void append(MemberId from, Message.AppendEntries request) {
    EntryId previous = request.previous();
    boolean mayDiffer = previous.index() >= state.log.base().index();
    if (previous.index() > state.log.lastIndex() || (mayDiffer && !state.log.contains(previous))) {
      reject(from, previous);
      return;
    }
    // Below the base everything is committed, and every leader has it (Raft §5.4, Leader
    // Completeness).
    appendMissing(request.entries());
    long match = previous.index() + request.entries().size();
    verified = Math.max(verified, match);
    // "set commitIndex = min(leaderCommit, index of last new entry)" (Raft figure 2)
    state.advanceCommit(Math.min(request.commit(), match));
    state.promise(from, new Message.AppendAccepted(state.term, match), match);
  }

  void heartbeat(MemberId from, Message.Heartbeat heartbeat) {
    state.advanceCommit(Math.min(heartbeat.commit(), verified));
    long match = Math.min(Math.max(verified, state.commit), state.durability.durable());
    state.promise(from, new Message.HeartbeatResponse(state.term, heartbeat.round(), match), match);
  }

  void readIndexResponse(Message.ReadIndexResponse response) {
    if (core.isNonceOfThisLife(response.nonce())) {
      // What is committed according to the leader is, as far as this log is the leader's.
      state.advanceCommit(Math.min(response.index(), verified));
      state.reads.confirmAt(response.nonce(), response.index(), state.out);
    }
  }

  void logRegressed(Message.LogRegressed message) {
    if (state.log.lastIndex() < message.acknowledged()) {
      throw new RaftFault(
          RaftFault.Kind.LOG_REGRESSED,
          "the log ends at "
              + state.log.lastIndex()
              + " although "
              + message.acknowledged()
              + " was acknowledged in term "
              + state.term
              + ": the disk went back in time; set the directory aside and join anew");
    }
  }

  @Override
  public void tick() {
    elapsedTicks++;
    if (elapsedTicks >= timeoutTicks || isSoleVoter()) {
      leader = Optional.empty();
      elapsedTicks = 0;
      core.electionTimeout();
    }
  }

  @Override
  public void persisted() {
    // Acknowledgements travel with the write that they promise.
  }

  @Override
  public void prepare() {
    if (leader.isEmpty() || state.reads.isEmpty()) {
      return;
    }
    boolean retry = state.now - readAskedTick >= 2L * state.options.heartbeatTicks();
    if (state.reads.hasUnjoined() || retry) {
      long nonce = core.nextNonce();
      state.reads.join(nonce, 0);
      state.out.send(leader.get(), new Message.ReadIndex(state.term, nonce));
      readAskedTick = state.now;
    }
  }

  @Override
  public boolean protectsLeader() {
    return leader.isPresent() && elapsedTicks < state.options.electionTicksMin();
  }

  /** Nobody else could lead: it need not wait. */
  private boolean isSoleVoter() {
    Membership now = state.membership();
    return now.voters().size() == 1 && !now.isJoint() && now.isVoter(state.self);
  }

  /** "If an existing entry conflicts with a new one, delete it and all that follow" (figure 2). */
  private void appendMissing(List<Entry> entries) {
    for (Entry entry : entries) {
      long index = entry.id().index();
      if (index <= state.log.base().index() || state.log.contains(entry.id())) {
        continue;
      }
      if (index <= state.log.lastIndex()) {
        if (index <= verified) {
          throw new RaftFault(
              RaftFault.Kind.TWO_LEADERS,
              "the leader of term " + state.term + " took entry " + index + " back");
        }
        state.truncateFrom(index);
      }
      state.append(entry);
    }
  }

  private void reject(MemberId from, EntryId previous) {
    if (previous.index() <= state.commit) {
      throw new RaftFault(
          RaftFault.Kind.COMMITTED_CONFLICT,
          "the leader of term "
              + state.term
              + " has "
              + previous
              + " where "
              + state.log.id(previous.index())
              + " is committed");
    }
    EntryId hint = state.log.lastWithTermAtMost(previous.index(), previous.term());
    if (hint.index() < state.commit) {
      hint = state.log.id(state.commit);
    }
    state.promise(
        from,
        new Message.AppendRejected(state.term, previous.index(), hint, state.log.lastIndex()),
        0);
  }
}
