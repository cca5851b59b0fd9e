package dev.ashlar.raft.core;

import static dev.ashlar.raft.core.Peer.entry;
import static dev.ashlar.raft.core.Peer.id;
import static dev.ashlar.raft.core.Peer.to;
import static dev.ashlar.raft.core.Peer.voters;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * The sentences of figure 2 of "In Search of an Understandable Consensus Algorithm" (Ongaro and
 * Ousterhout, extended version), one test each, quoted above it.
 */
class PaperTest {

  private static final Membership THREE = voters(1, 2, 3);
  private static final Membership FIVE = voters(1, 2, 3, 4, 5);

  // AppendEntries RPC, receiver: "1. Reply false if term < currentTerm"

  @Test
  void followerAnswersAnAppendOfAnEarlierTermWithItsOwnTerm() {
    Peer peer = Peer.of(1, THREE, 5, 1, 2);

    List<Envelope> sent =
        peer.step(2, new Message.AppendEntries(4, new EntryId(2, 2), List.of(entry(3, 4)), 3));

    assertThat(sent).containsExactly(new Envelope(id(2), new Message.HeartbeatResponse(5, 0, 0)));
    assertThat(peer.core().last()).isEqualTo(new EntryId(2, 2));
  }

  // "2. Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm"

  @Test
  void followerRejectsAnAppendAfterAnEntryThatItLacks() {
    Peer peer = Peer.of(1, THREE, 2, 1, 2);

    List<Envelope> sent =
        peer.step(2, new Message.AppendEntries(2, new EntryId(5, 2), List.of(), 0));

    assertThat(sent)
        .containsExactly(
            new Envelope(id(2), new Message.AppendRejected(2, 5, new EntryId(2, 2), 2)));
  }

  @Test
  void followerRejectsAnAppendAfterAnEntryOfAnotherTerm() {
    Peer peer = Peer.of(1, THREE, 3, 1, 2, 2);

    List<Envelope> sent =
        peer.step(2, new Message.AppendEntries(3, new EntryId(3, 1), List.of(), 0));

    assertThat(sent)
        .containsExactly(
            new Envelope(id(2), new Message.AppendRejected(3, 3, new EntryId(1, 1), 3)));
  }

  // "3. If an existing entry conflicts with a new one (same index but different terms), delete the
  // existing entry and all that follow it"

  @Test
  void followerDeletesAConflictingEntryAndAllThatFollow() {
    Peer peer = Peer.of(1, THREE, 3, 1, 2, 2, 2);

    List<Envelope> sent =
        peer.step(2, new Message.AppendEntries(3, new EntryId(1, 1), List.of(entry(2, 3)), 0));

    assertThat(peer.core().last()).isEqualTo(new EntryId(2, 3));
    assertThat(sent).containsExactly(new Envelope(id(2), new Message.AppendAccepted(3, 2)));
  }

  // "4. Append any new entries not already in the log"

  @Test
  void followerKeepsWhatAnOlderAppendDoesNotMention() {
    Peer peer = Peer.of(1, THREE, 1, 1, 1, 1);

    List<Envelope> sent =
        peer.step(2, new Message.AppendEntries(1, new EntryId(0, 0), List.of(entry(1, 1)), 0));

    assertThat(peer.core().last()).isEqualTo(new EntryId(3, 1));
    assertThat(sent).containsExactly(new Envelope(id(2), new Message.AppendAccepted(1, 1)));
  }

  // "5. If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new
  // entry)"

  @Test
  void followerCommitsNoFurtherThanTheLastEntryThatWasVerified() {
    Peer peer = Peer.of(1, THREE, 1, 1, 1, 1);

    peer.step(2, new Message.AppendEntries(1, new EntryId(0, 0), List.of(entry(1, 1)), 3));

    assertThat(peer.core().commitIndex()).isEqualTo(1);
  }

  @Test
  void aHeartbeatCommitsNothingThatWasNotVerifiedInItsTerm() {
    Peer peer = Peer.of(1, THREE, 1, 1, 1, 1);

    List<Envelope> sent = peer.step(2, new Message.Heartbeat(2, 3, 7));

    assertThat(peer.core().commitIndex()).isZero();
    assertThat(sent).containsExactly(new Envelope(id(2), new Message.HeartbeatResponse(2, 7, 0)));
  }

  // RequestVote RPC, receiver: "1. Reply false if term < currentTerm"

  @Test
  void voterRefusesACandidateOfAnEarlierTerm() {
    Peer peer = Peer.of(1, THREE, 5);

    assertThat(peer.step(2, new Message.RequestVote(4, new EntryId(9, 4), false)))
        .containsExactly(new Envelope(id(2), new Message.VoteResponse(5, false)));
  }

  // "2. If votedFor is null or candidateId, and candidate's log is at least as up-to-date as
  // receiver's log, grant vote"

  @Test
  void voterVotesOnceInATermAndAgainForTheSame() {
    Peer peer = Peer.of(1, THREE, 1);

    assertThat(peer.step(2, new Message.RequestVote(2, EntryId.ZERO, false)))
        .containsExactly(new Envelope(id(2), new Message.VoteResponse(2, true)));
    assertThat(peer.step(3, new Message.RequestVote(2, EntryId.ZERO, false)))
        .containsExactly(new Envelope(id(3), new Message.VoteResponse(2, false)));
    assertThat(peer.step(2, new Message.RequestVote(2, EntryId.ZERO, false)))
        .containsExactly(new Envelope(id(2), new Message.VoteResponse(2, true)));
  }

  @Test
  void aVoteThatWasGivenBeforeARestartIsRemembered() {
    Peer peer = Peer.of(1, THREE, new HardState(2, Optional.of(id(2))), 0);

    assertThat(peer.step(3, new Message.RequestVote(2, EntryId.ZERO, false)))
        .containsExactly(new Envelope(id(3), new Message.VoteResponse(2, false)));
  }

  @Test
  void aVoteLeavesOnlyWhenItIsDurable() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.holdWrites();

    assertThat(peer.step(2, new Message.RequestVote(2, EntryId.ZERO, false))).isEmpty();
    assertThat(peer.persist())
        .containsExactly(new Envelope(id(2), new Message.VoteResponse(2, true)));
  }

  /** §5.4.1, for all pairs of small logs. */
  @Test
  void voterVotesForALogThatIsAtLeastAsUpToDate() {
    for (long term = 1; term <= 3; term++) {
      for (long index = 1; index <= 3; index++) {
        for (long otherTerm = 1; otherTerm <= 3; otherTerm++) {
          for (long otherIndex = 1; otherIndex <= 3; otherIndex++) {
            long[] log = LongStream.generate(() -> 1).limit(index).toArray();
            log[(int) index - 1] = term;
            Peer peer = Peer.of(1, THREE, 3, log);

            List<Envelope> sent =
                peer.step(2, new Message.RequestVote(4, new EntryId(otherIndex, otherTerm), false));

            boolean expected = otherTerm > term || (otherTerm == term && otherIndex >= index);
            assertThat(sent)
                .containsExactly(new Envelope(id(2), new Message.VoteResponse(4, expected)));
          }
        }
      }
    }
  }

  // All servers: "If RPC request or response contains term T > currentTerm: set currentTerm = T,
  // convert to follower"

  @Test
  void aLeaderThatHearsOfALaterTermFollows() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);

    peer.step(3, new Message.HeartbeatResponse(9, 0, 0));

    assertThat(peer.core().status().term()).isEqualTo(9);
    assertThat(peer.core().status().role()).isEqualTo(new Role.Follower(Optional.empty()));
  }

  // Followers: "If election timeout elapses without receiving AppendEntries RPC from current leader
  // or granting vote to candidate: convert to candidate" - after a pre-vote (thesis §9.6)

  @Test
  void aFollowerThatHearsNothingAsksForPreVotesWithoutRaisingItsTerm() {
    Peer peer = Peer.of(1, THREE, 3, 1, 3);

    List<Envelope> sent = peer.timeout();

    assertThat(sent)
        .containsExactly(
            new Envelope(id(2), new Message.PreVote(4, new EntryId(2, 3), 1)),
            new Envelope(id(3), new Message.PreVote(4, new EntryId(2, 3), 1)));
    assertThat(peer.core().status().term()).isEqualTo(3);
  }

  // Candidates: "On conversion to candidate, start election: increment currentTerm, vote for self,
  // reset election timer, send RequestVote RPCs to all other servers"

  /** "Election timeouts are chosen randomly from a fixed interval" (§5.2). */
  @Test
  void electionTimeoutsAreSpreadOverTheWholeInterval() {
    Set<Integer> timeouts = new TreeSet<>();

    for (int member = 1; member <= 200; member++) {
      Peer follower = Peer.of(member, voters(member, 1000), 1);
      int ticks = 0;
      while (follower.core().status().role() instanceof Role.Follower) {
        follower.ticks(1);
        ticks++;
      }
      timeouts.add(ticks);
    }

    assertThat(timeouts)
        .hasSize(Peer.OPTIONS.electionTicksMax() - Peer.OPTIONS.electionTicksMin() + 1)
        .contains(Peer.OPTIONS.electionTicksMin(), Peer.OPTIONS.electionTicksMax());
  }

  @Test
  void aCandidateRaisesItsTermAndAsksOnceItsOwnVoteIsDurable() {
    Peer peer = Peer.of(1, THREE, 3, 1, 3);
    peer.timeout();
    peer.holdWrites();

    List<Envelope> before = peer.step(2, new Message.PreVoteResponse(4, true, 1));
    List<Envelope> after = peer.persist();

    assertThat(before).isEmpty();
    assertThat(after)
        .containsExactly(
            new Envelope(id(2), new Message.RequestVote(4, new EntryId(2, 3), false)),
            new Envelope(id(3), new Message.RequestVote(4, new EntryId(2, 3), false)));
  }

  // "If votes received from majority of servers: become leader"

  @Test
  void aCandidateLeadsWithAMajority() {
    Peer peer = Peer.of(1, FIVE, 1);
    peer.timeout();
    peer.step(2, new Message.PreVoteResponse(2, true, 1));
    peer.step(3, new Message.PreVoteResponse(2, true, 1));

    peer.step(2, new Message.VoteResponse(2, true));
    peer.step(2, new Message.VoteResponse(2, true));
    assertThat(peer.core().status().role()).isEqualTo(new Role.Candidate());
    peer.step(3, new Message.VoteResponse(2, true));

    assertThat(peer.core().status().role()).isEqualTo(new Role.Leader());
  }

  // "If AppendEntries RPC received from new leader: convert to follower"

  @Test
  void aCandidateFollowsTheLeaderOfItsTerm() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.timeout();
    peer.step(2, new Message.PreVoteResponse(2, true, 1));

    peer.step(3, new Message.Heartbeat(2, 0, 1));

    assertThat(peer.core().status().role()).isEqualTo(new Role.Follower(Optional.of(id(3))));
  }

  // Leaders: "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server;
  // repeat during idle periods to prevent election timeouts"

  @Test
  void aLeaderSendsHeartbeatsAtOnceAndAgain() {
    Peer peer = Peer.of(1, THREE, 1);

    List<Envelope> sent = peer.lead(2);

    assertThat(to(2, sent)).contains(new Message.Heartbeat(2, 0, 1));
    assertThat(to(3, sent)).contains(new Message.Heartbeat(2, 0, 1));
    assertThat(to(3, peer.ticks(2))).contains(new Message.Heartbeat(2, 0, 2));
  }

  // "If command received from client: append entry to local log, respond after entry applied"

  @Test
  void aLeaderAppendsACommandAndSendsItWhileItsOwnDiskWrites() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);
    peer.step(2, new Message.AppendAccepted(2, 1));
    peer.holdWrites();

    peer.core().propose(7, 10, "command 2");
    List<Envelope> sent = peer.run();

    assertThat(to(2, sent))
        .contains(new Message.AppendEntries(2, new EntryId(1, 2), List.of(entry(2, 2)), 1));
    assertThat(peer.core().durableIndex()).isEqualTo(1);
  }

  // "If successful: update nextIndex and matchIndex for follower. If AppendEntries fails because of
  // log inconsistency: decrement nextIndex and retry"

  @Test
  void aLeaderGoesBackByWholeTermsUntilTheLogsAgree() {
    Peer peer = Peer.of(1, THREE, 5, 1, 1, 4, 4, 5);
    peer.lead(2);

    List<Envelope> sent = peer.step(3, new Message.AppendRejected(6, 5, new EntryId(4, 3), 7));

    // Its entries of term 4 cannot be in a log whose last term up to there is 3.
    assertThat(to(3, sent).get(0))
        .isEqualTo(
            new Message.AppendEntries(
                6,
                new EntryId(2, 1),
                List.of(entry(3, 4), entry(4, 4), entry(5, 5), entry(6, 6)),
                0));
  }

  // "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and
  // log[N].term
  // == currentTerm: set commitIndex = N"

  @Test
  void aLeaderCountsNoReplicasForEntriesOfEarlierTerms() {
    Peer peer = Peer.of(1, FIVE, 3, 1, 2);
    peer.lead(2, 3);

    peer.step(2, new Message.AppendAccepted(4, 2));
    peer.step(3, new Message.AppendAccepted(4, 2));
    assertThat(peer.core().commitIndex()).isZero();
    peer.step(2, new Message.AppendAccepted(4, 3));
    peer.step(3, new Message.AppendAccepted(4, 3));

    assertThat(peer.core().commitIndex()).isEqualTo(3);
  }

  @Test
  void aLeaderCountsItselfOnlyWhenItsDiskHasTheEntry() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);
    peer.step(2, new Message.AppendAccepted(2, 1));
    peer.holdWrites();
    peer.core().propose(1, 10, "x");
    peer.run();

    peer.step(2, new Message.AppendAccepted(2, 2));
    assertThat(peer.core().commitIndex()).isEqualTo(1);
    peer.persist();

    assertThat(peer.core().commitIndex()).isEqualTo(2);
  }

  // §5.4.3, State Machine Safety: committed entries are never cut.

  @Test
  void aLeaderThatContradictsWhatIsCommittedStopsTheMember() {
    Peer peer = Peer.of(1, THREE, new HardState(2, Optional.empty()), 2, 1, 2);

    assertThatThrownBy(
            () ->
                peer.step(
                    2, new Message.AppendEntries(3, new EntryId(1, 1), List.of(entry(2, 3)), 0)))
        .isInstanceOfSatisfying(
            RaftFault.class,
            fault -> assertThat(fault.kind()).isEqualTo(RaftFault.Kind.COMMITTED_CONFLICT));
    assertThat(peer.core().last()).isEqualTo(new EntryId(2, 2));
  }

  // Thesis §4.2.3 and §6.4.1: a live leader is not deposed.

  @Test
  void aFollowerThatHearsItsLeaderGivesNoVoteAway() {
    Peer peer = Peer.of(1, THREE, 2);
    peer.step(2, new Message.Heartbeat(2, 0, 1));

    List<Envelope> sent = peer.step(3, new Message.RequestVote(9, EntryId.ZERO, false));

    assertThat(sent).isEmpty();
    assertThat(peer.core().status().term()).isEqualTo(2);
    assertThat(peer.step(3, new Message.PreVote(3, EntryId.ZERO, 1)))
        .containsExactly(new Envelope(id(3), new Message.PreVoteResponse(2, false, 1)));
  }

  @Test
  void aLeaderThatHearsNoQuorumStepsDown() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);

    peer.ticks(Peer.OPTIONS.electionTicksMax() + 1);

    assertThat(peer.core().status().role()).isNotEqualTo(new Role.Leader());
  }

  @Test
  void aLeaderWhoseEntriesReachNobodyMakesRoomForAnother() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);
    peer.step(2, new Message.AppendAccepted(2, 1));
    peer.core().propose(7, 10, "command 2");
    int max = Peer.OPTIONS.electionTicksMax();

    // Heartbeats go on in both directions, entries are lost.
    int ticks = 0;
    for (; ticks < 20 * max && peer.core().status().role().equals(new Role.Leader()); ticks++) {
      for (Message sent : to(2, peer.ticks(1))) {
        if (sent instanceof Message.Heartbeat heartbeat) {
          peer.step(2, new Message.HeartbeatResponse(2, heartbeat.round(), 1));
        }
      }
    }

    assertThat(ticks).isBetween(10 * max, 10 * max + 2);
    assertThat(peer.ticks(2 * max)).isEmpty();
    assertThat(to(2, peer.ticks(max))).hasOnlyElementsOfType(Message.PreVote.class).isNotEmpty();
  }

  // Thesis §6.4: reads.

  @Test
  void aReadWaitsForAnEntryOfTheTermAndForARoundThatBeganAfterIt() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);
    peer.core().read(5);
    assertThat(peer.core().takeReady().reads()).isEmpty();

    peer.core().step(id(2), new Message.HeartbeatResponse(2, 1, 0));
    assertThat(peer.core().takeReady().reads()).isEmpty();
    peer.core().step(id(2), new Message.AppendAccepted(2, 1));
    Ready ready = peer.core().takeReady();
    assertThat(ready.reads()).isEmpty();
    assertThat(to(2, ready.messages())).contains(new Message.Heartbeat(2, 1, 2));
    peer.core().step(id(2), new Message.HeartbeatResponse(2, 2, 1));

    assertThat(peer.core().takeReady().reads()).containsExactly(new Ready.ConfirmedRead(5, 1));
  }

  // Thesis §3.10: leadership transfer.

  @Test
  void leadershipIsHandedToAMemberThatHasEverything() {
    Peer peer = Peer.of(1, THREE, 1);
    peer.lead(2);

    peer.core().transferTo(1, id(2));
    assertThat(to(2, peer.run())).doesNotContain(new Message.TimeoutNow(2));
    List<Envelope> sent = peer.step(2, new Message.AppendAccepted(2, 1));

    assertThat(to(2, sent)).contains(new Message.TimeoutNow(2));
    peer.core().propose(9, 10, "x");
    assertThat(peer.core().takeReady().rejected())
        .containsExactly(new Ready.Rejected(9, Ready.Reason.BUSY));
  }

  /** A cluster of one is everything at once: it needs nobody. */
  @Test
  void theOnlyVoterLeadsAndCommitsByItself() {
    Peer peer = Peer.of(1, voters(1), 1);

    peer.ticks(1);
    peer.core().propose(1, 10, "x");
    peer.core().read(2);
    peer.run();

    assertThat(peer.core().status().role()).isEqualTo(new Role.Leader());
    assertThat(peer.core().commitIndex()).isEqualTo(2);
  }
}
