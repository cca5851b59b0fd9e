package dev.ashlar.raft.core;

import static dev.ashlar.raft.core.Peer.voters;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A leader brings any follower's log to its own (Raft §5.3), one that has compacted its log too.
 */
class ReplicationTest {

  private static final Membership THREE = voters(1, 2, 3);

  /** Figure 7 of the paper: "when the leader at the top comes to power". */
  private static final long[] LEADER = {1, 1, 1, 4, 4, 5, 5, 6, 6, 6};

  private static final long[][] FOLLOWERS = {
    {1, 1, 1, 4, 4, 5, 5, 6, 6},
    {1, 1, 1, 4},
    {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6},
    {1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7},
    {1, 1, 1, 4, 4, 4, 4},
    {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3},
  };

  @Test
  void everyFollowerOfFigure7ComesToHaveTheLeadersLog() {
    for (long[] log : FOLLOWERS) {
      Peer leader = Peer.of(1, THREE, 7, LEADER);
      Peer follower = Peer.of(2, THREE, 7, log);

      int messages = converge(leader, follower);

      assertThat(terms(follower)).isEqualTo(terms(leader));
      // Whole terms are skipped: never one message for each entry that differs.
      assertThat(messages).isLessThan(30);
    }
  }

  @Test
  void everyPairOfSmallLogsConverges() {
    List<long[]> logs = new ArrayList<>();
    addLogs(logs, new long[0], 3, 4);
    for (long[] mine : logs) {
      for (long[] other : logs) {
        if (!couldBothBe(mine, other)) {
          continue;
        }
        Peer leader = Peer.of(1, THREE, 4, mine);
        Peer follower = Peer.of(2, THREE, 4, other);

        converge(leader, follower);

        assertThat(terms(follower)).isEqualTo(terms(leader));
      }
    }
  }

  @Test
  void aFollowerThatLacksWhatIsCompactedIsToldToTakeASnapshotAndGoesOnAfterIt() {
    Peer leader =
        Peer.of(1, voters(1, 2), new HardState(1, java.util.Optional.empty()), 3, 1, 1, 1);
    leader.core().compacted(3);
    List<Envelope> sent = leader.lead(2);
    Peer follower = Peer.of(2, voters(1, 2), 1);

    List<Message> heard = new ArrayList<>(Peer.to(2, sent));
    for (int round = 0; round < 6; round++) {
      for (Message message : List.copyOf(heard)) {
        for (Envelope answer : follower.step(1, message)) {
          heard.addAll(Peer.to(2, leader.step(2, answer.message())));
        }
      }
      heard.addAll(Peer.to(2, leader.ticks(2)));
    }
    assertThat(heard).contains(new Message.InstallSnapshot(2, new EntryId(3, 1)));

    boolean wanted = follower.core().snapshotReady(new EntryId(3, 1), voters(1, 2));
    follower.run();
    assertThat(wanted).isTrue();
    for (Message message : Peer.to(2, leader.ticks(4))) {
      for (Envelope answer : follower.step(1, message)) {
        for (Message next : Peer.to(2, leader.step(2, answer.message()))) {
          follower.step(1, next);
        }
      }
    }

    assertThat(follower.core().base()).isEqualTo(new EntryId(3, 1));
    assertThat(follower.core().last()).isEqualTo(leader.core().last());
  }

  @Test
  void whatIsCutBeforeItIsWrittenIsNotAcknowledged() {
    Peer follower = Peer.of(2, THREE, 4, 1);
    EntryId first = new EntryId(1, 1);
    Message.AppendEntries cut =
        new Message.AppendEntries(4, first, List.of(Peer.entry(2, 4), Peer.entry(3, 4)), 0);
    Message.AppendEntries cutting =
        new Message.AppendEntries(5, first, List.of(Peer.entry(2, 5)), 0);

    follower.core().step(Peer.id(1), cut);
    follower.core().step(Peer.id(3), cutting);

    assertThat(follower.run())
        .containsExactly(new Envelope(Peer.id(3), new Message.AppendAccepted(5, 2)));
  }

  @Test
  void aSnapshotOfWhatIsCompactedHereIsNotWanted() {
    Peer follower = Peer.of(2, THREE, new HardState(1, java.util.Optional.empty()), 3, 1, 1, 1);
    follower.core().compacted(3);

    assertThat(follower.core().snapshotReady(new EntryId(2, 1), THREE)).isFalse();
    assertThat(follower.core().last()).isEqualTo(new EntryId(3, 1));
  }

  @Test
  void aSnapshotThatTellsNothingNewIsNotWanted() {
    Peer follower = Peer.of(2, THREE, new HardState(1, java.util.Optional.empty()), 2, 1, 1, 1);

    assertThat(follower.core().snapshotReady(new EntryId(2, 1), THREE)).isFalse();
    assertThat(follower.core().snapshotReady(new EntryId(3, 1), THREE)).isFalse();
    assertThat(follower.core().commitIndex()).isEqualTo(3);
    assertThat(follower.core().base()).isEqualTo(EntryId.ZERO);
  }

  /** Log Matching: where two logs have the same term at an index, all before is the same. */
  private static boolean couldBothBe(long[] one, long[] other) {
    boolean differ = false;
    for (int i = 0; i < Math.min(one.length, other.length); i++) {
      if (one[i] != other[i]) {
        differ = true;
      } else if (differ) {
        return false;
      }
    }
    return true;
  }

  /** Lets two talk until they say nothing new; how many messages went to the follower. */
  private static int converge(Peer leader, Peer follower) {
    ArrayDeque<Message> toFollower = new ArrayDeque<>(Peer.to(2, leader.lead(3)));
    int messages = 0;
    for (int tick = 0; tick < 60 && !follower.core().last().equals(leader.core().last()); tick++) {
      while (!toFollower.isEmpty()) {
        messages++;
        assertThat(messages).as("messages of two members that never agree").isLessThan(1000);
        for (Envelope answer : follower.step(1, toFollower.remove())) {
          toFollower.addAll(Peer.to(2, leader.step(2, answer.message())));
        }
      }
      toFollower.addAll(Peer.to(2, leader.ticks(1)));
      // The third member keeps the leader in office.
      leader.step(3, new Message.HeartbeatResponse(leader.core().status().term(), 0, 0));
    }
    return messages;
  }

  private static List<Long> terms(Peer peer) {
    List<Long> terms = new ArrayList<>();
    for (long i = 1; i <= peer.core().last().index(); i++) {
      terms.add(peer.core().idAt(i).orElseThrow().term());
    }
    return terms;
  }

  private static void addLogs(List<long[]> logs, long[] log, long termMax, int lengthMax) {
    logs.add(log);
    if (log.length == lengthMax) {
      return;
    }
    long from = log.length == 0 ? 1 : log[log.length - 1];
    for (long term = from; term <= termMax; term++) {
      long[] longer = java.util.Arrays.copyOf(log, log.length + 1);
      longer[log.length] = term;
      addLogs(logs, longer, termMax, lengthMax);
    }
  }
}
