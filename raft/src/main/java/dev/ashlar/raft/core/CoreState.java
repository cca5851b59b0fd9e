package dev.ashlar.raft.core;

import java.util.Optional;
import java.util.random.RandomGenerator;

/** What a member has whatever its role: the state of Raft figure 2, its options, and its outbox. */
final class CoreState {

  final MemberId self;
  final CoreOptions options;
  final RandomGenerator random;
  final CoreLog log;
  final Durability durability;
  final Outbox out = new Outbox();
  final ReadQueue reads = new ReadQueue();
  long term;
  Optional<MemberId> vote;

  /** The highest index known to be committed (Raft figure 2, commitIndex). */
  long commit;

  /** Up to where application has been asked for. */
  long applyAsked;

  /** Ticks since the core was made. */
  long now;

  /** Set when this member led with a disk that stood still: it asks for no votes until it moves. */
  boolean mustPersistBeforeCampaign;

  CoreState(
      MemberId self,
      CoreOptions options,
      RandomGenerator random,
      CoreLog log,
      HardState hardState,
      long applied) {
    this.self = self;
    this.options = options;
    this.random = random;
    this.log = log;
    this.durability = new Durability(log.lastIndex());
    // Entries that a store wrote before any cluster led it have a term that nobody voted in.
    this.term = Math.max(hardState.term(), log.last().term());
    this.vote = term == hardState.term() ? hardState.vote() : Optional.empty();
    this.commit = applied;
    this.applyAsked = applied;
  }

  Membership membership() {
    return log.membership();
  }

  void append(Entry entry) {
    log.append(entry);
    out.append(entry);
  }

  /** Drops a suffix that contradicts the leader's; never anything that is committed. */
  void truncateFrom(long index) {
    if (index <= commit) {
      throw new RaftFault(
          RaftFault.Kind.COMMITTED_CONFLICT,
          "term " + term + " contradicts entry " + index + ", committed up to " + commit);
    }
    log.truncateFrom(index);
    out.truncateFrom(index);
    durability.truncatedFrom(index);
  }

  void setTermAndVote(long newTerm, Optional<MemberId> newVote) {
    if (newTerm != term || !newVote.equals(vote)) {
      term = newTerm;
      vote = newVote;
      out.hardStateChanged();
      durability.hardStateIn(out.nextNumber());
    }
  }

  /** Sends what promises this term and the log up to an index, once both are durable. */
  void promise(MemberId to, Message message, long index) {
    if (durability.isHardStateDurable() && durability.durable() >= index) {
      out.send(to, message);
    } else {
      out.sendAfterWrite(to, message);
    }
  }

  void advanceCommit(long index) {
    commit = Math.max(commit, index);
    askToApply();
  }

  /** An entry is applied when it is committed and durable here (Raft §5.3). */
  void askToApply() {
    long target = Math.min(commit, durability.durable());
    if (target > applyAsked) {
      applyAsked = target;
      out.applyTo(target);
    }
  }

  /**
   * Whether this member may ask for votes. One that is no longer a voter does so as long as the
   * configuration without it may not be committed: it may be the only one that has it (thesis
   * §4.2.2).
   */
  boolean mayCampaign() {
    boolean wasVoter = log.membershipIndex() > commit && log.membershipBefore().isVoter(self);
    return (membership().isVoter(self) || wasVoter) && !mustPersistBeforeCampaign;
  }

  int randomElectionTicks() {
    return options.electionTicksMin()
        + random.nextInt(options.electionTicksMax() - options.electionTicksMin() + 1);
  }

  /** A vote or a pre-vote goes only to a log that has everything this one has (Raft §5.4.1). */
  boolean isUpToDate(EntryId candidateLast) {
    return candidateLast.isAtLeastAsUpToDateAs(log.last());
  }
}
