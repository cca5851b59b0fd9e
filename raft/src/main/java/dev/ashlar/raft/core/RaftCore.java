package dev.ashlar.raft.core;

import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * One member of a Raft group: a function over its own state. It takes one input at a time and hands
 * out, in {@link #takeReady()}, what is owed to the world. The same inputs and the same generator
 * give the same outputs on any JDK.
 *
 * <p>For one thread at a time. A {@link RaftFault} that it throws ends this core: it is not used
 * any more.
 */
public final class RaftCore {

  private final CoreState state;
  private final long firstNonce;
  private long nonce;
  private long preVoteRound;
  private Behaviour behaviour;
  private Ready.Status reported;

  /**
   * What a member finds on its disk.
   *
   * @param hardState the newest one
   * @param base the entry before the first one of the log
   * @param atBase the configuration in force there
   * @param entries the log after the base, in order; contents are not looked at, configurations are
   * @param applied up to where entries have taken effect
   */
  public record Restored(
      HardState hardState,
      EntryId base,
      Membership atBase,
      Iterable<Entry> entries,
      long applied) {}

  /**
   * @param self this member
   * @param options times and limits
   * @param random of this member alone, seeded anew at each start
   * @param restored what is on the disk
   */
  public RaftCore(MemberId self, CoreOptions options, RandomGenerator random, Restored restored) {
    CoreLog log = new CoreLog(restored.base(), restored.atBase());
    restored.entries().forEach(log::append);
    this.state =
        new CoreState(self, options, random, log, restored.hardState(), restored.applied());
    this.firstNonce = random.nextLong() >>> 2;
    this.nonce = firstNonce;
    this.behaviour = new Following(this, state, Optional.empty());
    this.reported = status();
  }

  /** Time passes. */
  public void tick() {
    state.now++;
    state.reads.expire(state.now - 2L * state.options.electionTicksMax(), state.out);
    behaviour.tick();
  }

  /** A message has come. */
  public void step(MemberId from, Message message) {
    if (message.term() > state.term && !isAboutLaterTerm(message)) {
      if (message instanceof Message.RequestVote request
          && !request.transfer()
          && behaviour.protectsLeader()) {
        // A live leader is not deposed by one who cannot hear it (thesis §4.2.3).
        return;
      }
      becomeFollower(message.term(), Optional.empty());
    }
    if (message.term() < state.term) {
      answerEarlierTerm(from, message);
    } else {
      dispatch(from, message);
    }
  }

  /**
   * Asks for a command to be appended. Answered by {@link Ready#accepted} or {@link
   * Ready#rejected}.
   *
   * @param token of the caller's choice
   * @param bytes how large it is
   * @param content handed out again in {@link Ready#write}, never looked at
   */
  public void propose(long token, int bytes, Object content) {
    if (behaviour instanceof Leading leading) {
      leading.propose(token, bytes, content);
    } else {
      state.out.reject(token, Ready.Reason.NOT_LEADER);
    }
  }

  /** Asks for a linearizable read. Answered by {@link Ready#reads} or {@link Ready#rejected}. */
  public void read(long token) {
    state.reads.add(token, state.now);
  }

  /**
   * Asks for a change of membership.
   *
   * @param addresses where the members are reached that are new, or have moved
   */
  public void change(long token, Membership.Target target, Map<MemberId, String> addresses) {
    if (behaviour instanceof Leading leading) {
      leading.change(token, target, addresses);
    } else {
      state.out.reject(token, Ready.Reason.NOT_LEADER);
    }
  }

  /** Asks the leader to hand over to a voter; given up after an election timeout. */
  public void transferTo(long token, MemberId target) {
    if (behaviour instanceof Leading leading) {
      leading.transferTo(token, target);
    } else {
      state.out.reject(token, Ready.Reason.NOT_LEADER);
    }
  }

  /** All writes up to this number are durable. */
  public void persisted(long number) {
    state.durability.persisted(number);
    state.mustPersistBeforeCampaign = false;
    behaviour.persisted();
    state.askToApply();
  }

  /** The disk has dropped the entries up to an index, all of them applied. */
  public void compacted(long index) {
    if (index > state.commit) {
      throw new IllegalArgumentException(
          "compacted up to " + index + " although only " + state.commit + " is committed");
    }
    state.log.compactTo(index);
  }

  /** A lane to a peer broke, or a range for it could not be read. */
  public void lost(MemberId peer) {
    if (behaviour instanceof Leading leading) {
      leading.lost(peer);
    }
  }

  /**
   * A snapshot is on the disk, ready to be switched to. If it still tells more than is committed
   * here, the next {@link Ready.Write} says to switch.
   *
   * @return whether it is wanted
   */
  public boolean snapshotReady(EntryId at, Membership membership) {
    if (at.index() <= state.commit || behaviour instanceof Leading) {
      return false;
    }
    if (state.log.contains(at)) {
      // What the snapshot stands for is committed, and this log has it: no need to replace it.
      state.advanceCommit(at.index());
      return false;
    }
    state.log.install(at, membership);
    state.durability.installed();
    state.out.install(at);
    state.commit = at.index();
    state.applyAsked = at.index();
    if (behaviour instanceof Campaigning) {
      // What it asked votes for is no longer its log.
      becomeFollower(state.term, Optional.empty());
    }
    return true;
  }

  /** What is owed to the world since the last time. Batches are formed here. */
  public Ready takeReady() {
    behaviour.prepare();
    Ready.Status now = status();
    Optional<Ready.Status> changed = now.equals(reported) ? Optional.empty() : Optional.of(now);
    reported = now;
    HardState hardState = new HardState(state.term, state.vote);
    Ready ready = state.out.take(hardState, changed);
    ready
        .write()
        .ifPresent(
            write -> state.durability.issued(write.number(), state.log.lastIndex(), state.now));
    return ready;
  }

  /** This member. */
  public MemberId self() {
    return state.self;
  }

  /** Term, role and membership. */
  public Ready.Status status() {
    return new Ready.Status(state.term, behaviour.role(), state.membership());
  }

  /** The highest index known to be committed. */
  public long commitIndex() {
    return state.commit;
  }

  /** The end of the log, durable or not. */
  public EntryId last() {
    return state.log.last();
  }

  /** The entry before the first one of the log. */
  public EntryId base() {
    return state.log.base();
  }

  /** Bytes of the entries that the log still has, as flow control counts them. */
  public long logBytes() {
    return state.log.bytes(state.log.base().index(), state.log.lastIndex());
  }

  /** Bytes of all entries that were ever appended to this core, to measure how the log grows. */
  public long appendedBytes() {
    return state.log.endSum();
  }

  /** The last index that can be dropped so that so many bytes of entries are kept. */
  public long indexKeeping(long bytes) {
    return state.log.indexKeeping(bytes);
  }

  /** The last index that is durable here. */
  public long durableIndex() {
    return state.durability.durable();
  }

  /** The index of the entry that brought the membership in force. */
  public long membershipIndex() {
    return state.log.membershipIndex();
  }

  /** The id at an index, empty where it is not known. */
  public Optional<EntryId> idAt(long index) {
    return state.log.has(index) ? Optional.of(state.log.id(index)) : Optional.empty();
  }

  /** The leader, as far as known. */
  public Optional<MemberId> leader() {
    if (behaviour instanceof Following following) {
      return following.leader();
    }
    return behaviour instanceof Leading ? Optional.of(state.self) : Optional.empty();
  }

  /** Whether it leads and knows what is committed. */
  public boolean isSettledLeader() {
    return behaviour instanceof Leading leading && leading.hasCommittedInTerm();
  }

  /**
   * A leader's view of a peer.
   *
   * @param match what it has durably
   * @param lagBytes bytes of entries that it lacks, as far as the log still has them
   * @param silentTicks since it last answered
   * @param needsSnapshot whether what it lacks is compacted
   */
  public record Peer(long match, long lagBytes, long silentTicks, boolean needsSnapshot) {}

  /** A leader's view of its peers; empty on others. */
  public SortedMap<MemberId, Peer> peers() {
    SortedMap<MemberId, Peer> peers = new TreeMap<>();
    if (behaviour instanceof Leading leading) {
      leading
          .peers()
          .forEach(
              (member, progress) -> {
                long from = Math.max(progress.match, state.log.base().index());
                peers.put(
                    member,
                    new Peer(
                        progress.match,
                        state.log.bytes(from, state.log.lastIndex()),
                        state.now - progress.contactTick,
                        progress.state == Progress.State.SNAPSHOT));
              });
    }
    return peers;
  }

  void electionTimeout() {
    if (state.mayCampaign()) {
      Campaigning campaign = Campaigning.preCandidate(this, state, ++preVoteRound);
      behaviour = campaign;
      state.reads.reset();
      campaign.begin();
    } else if (!(behaviour instanceof Following)) {
      becomeFollower(state.term, Optional.empty());
    }
  }

  void becomeCandidate(boolean transfer) {
    behaviour = Campaigning.candidate(this, state, transfer);
    state.reads.reset();
  }

  void becomeLeader() {
    Leading leading = new Leading(this, state);
    behaviour = leading;
    leading.begin();
  }

  void stepDown() {
    becomeFollower(state.term, Optional.empty());
  }

  /** Steps down, and lets others campaign before it does so again. */
  void giveWay() {
    becomeFollower(state.term, Optional.empty()).waitLonger();
  }

  long nextNonce() {
    return ++nonce;
  }

  boolean isNonceOfThisLife(long answered) {
    return answered > firstNonce && answered <= nonce;
  }

  private Following becomeFollower(long term, Optional<MemberId> leader) {
    state.setTermAndVote(term, term == state.term ? state.vote : Optional.empty());
    Following following = new Following(this, state, leader);
    behaviour = following;
    state.reads.reset();
    return following;
  }

  /** Pre-votes speak of a term that nobody has entered yet (thesis §9.6). */
  private static boolean isAboutLaterTerm(Message message) {
    return message instanceof Message.PreVote
        || (message instanceof Message.PreVoteResponse response && response.granted());
  }

  /** Whoever lives in the past learns the term, else it could never be part of the group again. */
  private void answerEarlierTerm(MemberId from, Message message) {
    if (message instanceof Message.PreVote request) {
      state.promise(from, new Message.PreVoteResponse(state.term, false, request.round()), 0);
    } else if (message instanceof Message.RequestVote) {
      state.promise(from, new Message.VoteResponse(state.term, false), 0);
    } else if (message instanceof Message.Heartbeat heartbeat) {
      state.promise(from, new Message.HeartbeatResponse(state.term, heartbeat.round(), 0), 0);
    } else if (message instanceof Message.AppendEntries
        || message instanceof Message.InstallSnapshot) {
      state.promise(from, new Message.HeartbeatResponse(state.term, 0, 0), 0);
    }
  }

  private void dispatch(MemberId from, Message message) {
    if (message instanceof Message.PreVote request) {
      preVote(from, request);
    } else if (message instanceof Message.RequestVote request) {
      requestVote(from, request);
    } else if (message instanceof Message.AppendEntries request) {
      follow(from).append(from, request);
    } else if (message instanceof Message.Heartbeat heartbeat) {
      follow(from).heartbeat(from, heartbeat);
    } else if (message instanceof Message.InstallSnapshot request) {
      follow(from);
      if (request.base().index() > state.commit) {
        state.out.needSnapshot(new Ready.Install(from, request.base()));
      }
    } else if (message instanceof Message.LogRegressed regressed) {
      follow(from).logRegressed(regressed);
    } else if (message instanceof Message.TimeoutNow) {
      if (state.mayCampaign() && !(behaviour instanceof Leading)) {
        becomeCandidate(true);
      }
    } else {
      dispatchAnswer(from, message);
    }
  }

  private void dispatchAnswer(MemberId from, Message message) {
    if (behaviour instanceof Leading leading) {
      if (message instanceof Message.AppendAccepted response) {
        leading.accepted(from, response);
      } else if (message instanceof Message.AppendRejected response) {
        leading.rejected(from, response);
      } else if (message instanceof Message.HeartbeatResponse response) {
        leading.heartbeatResponse(from, response);
      } else if (message instanceof Message.ReadIndex request) {
        leading.readIndex(from, request);
      }
    } else if (behaviour instanceof Campaigning campaigning) {
      if (message instanceof Message.PreVoteResponse response) {
        campaigning.preVoteResponse(from, response);
      } else if (message instanceof Message.VoteResponse response) {
        campaigning.voteResponse(from, response);
      }
    } else if (behaviour instanceof Following following
        && message instanceof Message.ReadIndexResponse response) {
      following.readIndexResponse(response);
    }
  }

  /** A message of this term's leader: whoever campaigned in this term has lost (Raft §5.2). */
  private Following follow(MemberId leader) {
    if (behaviour instanceof Leading) {
      throw new RaftFault(
          RaftFault.Kind.TWO_LEADERS, "term " + state.term + " has another leader, " + leader);
    }
    if (!(behaviour instanceof Following)) {
      becomeFollower(state.term, Optional.of(leader));
    }
    Following following = (Following) behaviour;
    following.heard(leader);
    return following;
  }

  private void preVote(MemberId from, Message.PreVote request) {
    boolean grants =
        !behaviour.protectsLeader()
            && (request.term() > state.term || mayVoteFor(from))
            && state.isUpToDate(request.last());
    long term = grants ? request.term() : state.term;
    state.promise(from, new Message.PreVoteResponse(term, grants, request.round()), 0);
  }

  /**
   * "If votedFor is null or candidateId, and candidate's log is at least as up-to-date as
   * receiver's log, grant vote" (Raft figure 2), whatever this member believes its own role to be.
   */
  private void requestVote(MemberId from, Message.RequestVote request) {
    boolean grants = mayVoteFor(from) && state.isUpToDate(request.last());
    if (grants) {
      state.setTermAndVote(state.term, Optional.of(from));
      if (behaviour instanceof Following following) {
        following.voted();
      }
    }
    state.promise(from, new Message.VoteResponse(state.term, grants), 0);
  }

  private boolean mayVoteFor(MemberId candidate) {
    return leader().isEmpty() && state.vote.map(candidate::equals).orElse(true);
  }
}
