package dev.ashlar.raft.core;

import static dev.ashlar.raft.core.Peer.id;
import static dev.ashlar.raft.core.Peer.voters;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Changes of membership (thesis §4): learner first, joint, and always on to the end. */
class MembershipChangeTest {

  private static final Membership.Target FOUR =
      Membership.Target.of(List.of(id(1), id(2), id(3), id(4)), List.of());

  @Test
  void aNewVoterIsALearnerThenJointThenAVoter() {
    Peer leader = leading();

    leader.core().change(9, FOUR, Map.of(id(4), "node-4:1"));
    leader.run();
    assertThat(leader.accepted()).containsExactly(new Ready.Accepted(9, new EntryId(2, 2)));
    assertThat(membership(leader).learners()).containsExactly(id(4));
    assertThat(membership(leader).voters()).hasSize(3);

    leader.step(2, new Message.AppendAccepted(2, 2));
    assertThat(membership(leader).isJoint()).as("the learner has nothing yet").isFalse();
    leader.step(4, new Message.AppendAccepted(2, 2));
    leader.ticks(1);
    assertThat(membership(leader).isJoint()).isTrue();
    assertThat(membership(leader).outgoing()).hasSize(3);

    leader.step(2, new Message.AppendAccepted(2, 3));
    assertThat(membership(leader).isJoint())
        .as("a majority of the old three, not of the new four")
        .isTrue();
    leader.step(4, new Message.AppendAccepted(2, 3));
    leader.ticks(1);

    assertThat(membership(leader).isJoint()).isFalse();
    assertThat(membership(leader).voters()).hasSize(4);
    assertThat(membership(leader).target()).isEmpty();
  }

  @Test
  void aChangeWaitsForAnEntryOfTheLeadersOwnTerm() {
    Peer leader = Peer.of(1, voters(1, 2, 3), 1);
    leader.lead(2);

    leader.core().change(9, FOUR, Map.of(id(4), "node-4:1"));

    assertThat(leader.core().takeReady().rejected())
        .containsExactly(new Ready.Rejected(9, Ready.Reason.CHANGE_UNDER_WAY));
  }

  @Test
  void twoMembersAtOneAddressAreRefused() {
    Peer leader = leading();

    leader.core().change(9, FOUR, Map.of(id(4), "node-2:1"));

    assertThat(leader.core().takeReady().rejected())
        .containsExactly(new Ready.Rejected(9, Ready.Reason.INVALID_CHANGE));
  }

  @Test
  void whoeverLeadsNextCarriesAChangeOnAndLeavesTheJointConfiguration() {
    Membership joint =
        new Membership(
            FOUR.voters(),
            voters(1, 2, 3).voters(),
            new TreeSet<>(),
            Optional.of(FOUR),
            voters(1, 2, 3, 4).addresses());
    Peer next = Peer.of(2, joint, 3, 1);
    next.lead(1, 3, 4);

    for (int member : new int[] {1, 3, 4}) {
      next.step(member, new Message.AppendAccepted(4, 2));
    }
    next.ticks(1);

    assertThat(membership(next).isJoint()).isFalse();
    assertThat(membership(next).voters()).isEqualTo(FOUR.voters());
  }

  @Test
  void aTruncatedConfigurationIsTakenBack() {
    Peer follower = Peer.of(2, voters(1, 2, 3), 1);
    Entry change = new Entry(new EntryId(1, 1), 10, new Payload.Configuration(voters(1, 2, 3, 4)));
    follower.step(1, new Message.AppendEntries(1, EntryId.ZERO, List.of(change), 0));
    assertThat(membership(follower).voters()).hasSize(4);

    follower.step(3, new Message.AppendEntries(2, EntryId.ZERO, List.of(Peer.entry(1, 2)), 0));

    assertThat(membership(follower).voters()).hasSize(3);
  }

  @Test
  void aLeaderThatIsRemovedHandsOverAndFollows() {
    Peer leader = leading();

    leader.core().change(9, Membership.Target.of(List.of(id(2), id(3)), List.of()), Map.of());
    leader.run();
    List<Envelope> sent = new ArrayList<>();
    for (long index = 2; index <= 5; index++) {
      sent.addAll(leader.step(2, new Message.AppendAccepted(2, index)));
      sent.addAll(leader.step(3, new Message.AppendAccepted(2, index)));
      sent.addAll(leader.ticks(1));
    }
    sent.addAll(leader.ticks(5));

    assertThat(membership(leader).voters()).containsExactly(id(2), id(3));
    assertThat(leader.core().status().role()).isInstanceOf(Role.Follower.class);
    assertThat(sent.stream().filter(e -> e.message() instanceof Message.TimeoutNow)).hasSize(1);
  }

  @Test
  void aLearnerVotesWhenItIsAskedAndNeverAsks() {
    Membership withLearner =
        new Membership(
            voters(1, 2).voters(),
            new TreeSet<>(),
            voters(3).voters(),
            Optional.empty(),
            voters(1, 2, 3).addresses());
    Peer learner = Peer.of(3, withLearner, 1);

    assertThat(learner.ticks(100)).isEmpty();
    assertThat(learner.step(1, new Message.RequestVote(2, EntryId.ZERO, false)))
        .containsExactly(new Envelope(id(1), new Message.VoteResponse(2, true)));
  }

  private static Membership membership(Peer peer) {
    return peer.core().status().membership();
  }

  /** A leader of three that has committed its own entry. */
  private static Peer leading() {
    Peer leader = Peer.of(1, voters(1, 2, 3), 1);
    leader.lead(2);
    leader.step(2, new Message.AppendAccepted(2, 1));
    leader.step(3, new Message.AppendAccepted(2, 1));
    return leader;
  }
}
