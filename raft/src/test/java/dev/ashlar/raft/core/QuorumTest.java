package dev.ashlar.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Quorum arithmetic against a count of all subsets. */
class QuorumTest {

  @Test
  void whatIsReachedIsTheHighestValueThatAMajorityOfEachSetHas() {
    SplittableRandom random = new SplittableRandom(42);
    for (int run = 0; run < 20_000; run++) {
      SortedSet<MemberId> voters = set(random, 1);
      SortedSet<MemberId> outgoing = random.nextBoolean() ? set(random, 1) : new TreeSet<>();
      Membership membership =
          new Membership(voters, outgoing, set(random, 0), Optional.empty(), new TreeMap<>());
      long[] values = random.longs(8, 0, 6).toArray();

      long reached = Quorum.reached(membership, m -> values[number(m)]);

      long expected = 0;
      for (long value = 0; value <= 6; value++) {
        long v = value;
        boolean majority =
            isMajority(voters, values, v)
                && (outgoing.isEmpty() || isMajority(outgoing, values, v));
        expected = majority ? value : expected;
      }
      assertThat(reached).as("%s %s", membership, List.of(values)).isEqualTo(expected);
      long threshold = random.nextLong(7);
      assertThat(Quorum.holds(membership, m -> values[number(m)] >= threshold))
          .isEqualTo(
              isMajority(voters, values, threshold)
                  && (outgoing.isEmpty() || isMajority(outgoing, values, threshold)));
    }
  }

  @Test
  void anyTwoQuorumsOfNeighbouringConfigurationsShareAVoter() {
    // Old, joint, new: whatever the sets are, agreements of neighbours overlap (thesis §4.3).
    for (int old = 1; old < 32; old++) {
      for (int next = 1; next < 32; next++) {
        Membership before = membership(old, 0);
        Membership joint = membership(next, old);
        Membership after = membership(next, 0);
        for (int quorum = 1; quorum < 32; quorum++) {
          for (int other = 1; other < 32; other++) {
            if ((quorum & other) == 0) {
              assertThat(holds(before, quorum) && holds(joint, other)).isFalse();
              assertThat(holds(joint, quorum) && holds(after, other)).isFalse();
            }
          }
        }
      }
    }
  }

  private static boolean holds(Membership membership, int members) {
    return Quorum.holds(membership, m -> (members >> number(m) & 1) == 1);
  }

  private static Membership membership(int voters, int outgoing) {
    return new Membership(
        of(voters), of(outgoing), new TreeSet<>(), Optional.empty(), new TreeMap<>());
  }

  private static SortedSet<MemberId> of(int bits) {
    TreeSet<MemberId> set = new TreeSet<>();
    for (int i = 0; i < 8; i++) {
      if ((bits >> i & 1) == 1) {
        set.add(Peer.id(i));
      }
    }
    return set;
  }

  private static SortedSet<MemberId> set(SplittableRandom random, int least) {
    List<MemberId> all = new ArrayList<>(of(255));
    TreeSet<MemberId> set = new TreeSet<>();
    int size = least + random.nextInt(6);
    while (set.size() < size) {
      set.add(all.get(random.nextInt(all.size())));
    }
    return set;
  }

  private static boolean isMajority(Set<MemberId> voters, long[] values, long threshold) {
    int have = 0;
    for (MemberId voter : voters) {
      have += values[number(voter)] >= threshold ? 1 : 0;
    }
    return 2 * have > voters.size();
  }

  private static int number(MemberId member) {
    return (int) member.uuid().getLeastSignificantBits();
  }
}
