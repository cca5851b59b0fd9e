package dev.ashlar.raft.core;

import java.util.Optional;
import java.util.TreeSet;

/** A pre-candidate or a candidate: asks for votes and counts them (Raft §5.2, thesis §9.6). */
final class Campaigning implements Behaviour {

  private final RaftCore core;
  private final CoreState state;
  private final boolean preVote;
  private final long round;
  private final TreeSet<MemberId> granted = new TreeSet<>();
  private final long ownVoteNumber;
  private final int timeoutTicks;
  private int elapsedTicks;

  private Campaigning(RaftCore core, CoreState state, boolean preVote, long round) {
    this.core = core;
    this.state = state;
    this.preVote = preVote;
    this.round = round;
    this.ownVoteNumber = state.out.nextNumber();
    this.timeoutTicks = state.randomElectionTicks();
  }

  /** Asks everybody whether they would vote for this member in the next term. */
  static Campaigning preCandidate(RaftCore core, CoreState state, long round) {
    Campaigning campaign = new Campaigning(core, state, true, round);
    campaign.ask(new Message.PreVote(state.term + 1, state.log.last(), round));
    return campaign;
  }

  /**
   * Raises the term, votes for itself, asks for votes (Raft figure 2, "Candidates: on conversion to
   * candidate"). The requests leave when its own vote is durable.
   */
  static Campaigning candidate(RaftCore core, CoreState state, boolean transfer) {
    state.setTermAndVote(state.term + 1, Optional.of(state.self));
    Campaigning campaign = new Campaigning(core, state, false, 0);
    campaign.ask(new Message.RequestVote(state.term, state.log.last(), transfer));
    return campaign;
  }

  @Override
  public Role role() {
    return preVote ? new Role.PreCandidate() : new Role.Candidate();
  }

  /** Counts its own vote, once there is nothing before it that could be lost. */
  void begin() {
    if (preVote) {
      grant(state.self);
    }
  }

  void preVoteResponse(MemberId from, Message.PreVoteResponse response) {
    if (preVote
        && response.granted()
        && response.round() == round
        && response.term() == state.term + 1) {
      grant(from);
    }
  }

  void voteResponse(MemberId from, Message.VoteResponse response) {
    if (!preVote && response.granted()) {
      grant(from);
    }
  }

  @Override
  public void tick() {
    if (++elapsedTicks >= timeoutTicks) {
      core.electionTimeout();
    }
  }

  @Override
  public void persisted() {
    // A vote for oneself counts like any other: when it is durable.
    if (!preVote && state.durability.isPersisted(ownVoteNumber)) {
      grant(state.self);
    }
  }

  @Override
  public void prepare() {
    // Requests went out when the campaign began; lost ones are covered by the next.
  }

  @Override
  public boolean protectsLeader() {
    return false;
  }

  private void grant(MemberId from) {
    granted.add(from);
    if (Quorum.holds(state.membership(), granted::contains)) {
      if (preVote) {
        core.becomeCandidate(false);
      } else {
        core.becomeLeader();
      }
    }
  }

  private void ask(Message request) {
    for (MemberId member : state.membership().members()) {
      if (member.equals(state.self) || !state.membership().isVoter(member)) {
        continue;
      }
      if (preVote) {
        state.out.send(member, request);
      } else {
        state.out.sendAfterWrite(member, request);
      }
    }
  }
}
