package dev.ashlar.raft.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Cid;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.replication.Replica;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who is asked for a block that is damaged here, and what follows when nobody has it. */
class CopiesTest {

  private static final MemberId ONE = new MemberId(new UUID(0, 1));
  private static final MemberId TWO = new MemberId(new UUID(0, 2));
  private static final Cid CID = TestBlocks.numbered(1, 10).cid();
  private static final DriverOptions OPTIONS = DriverOptions.DEFAULT;

  private final List<PeerMessage.CopyRequest> asked = new ArrayList<>();
  private final List<MemberId> whom = new ArrayList<>();
  private final Set<MemberId> connected = new HashSet<>(Set.of(ONE, TWO));
  private final List<Boolean> unknown = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private Copies copies;

  private long now;

  @BeforeEach
  void make() {
    copies =
        new Copies(
            OPTIONS,
            new NoStorage(),
            this::send,
            1,
            () -> List.of(ONE, TWO),
            failure -> {},
            (cid, all) -> unknown.add(all));
  }

  @Test
  void whatAllOthersSayTwiceThatTheyHaveNotIsUnknownToAll() {
    copies.get(CID, block -> assertThat(block).isEmpty());
    refuseAll();
    assertThat(unknown).isEmpty();

    passTime();
    refuseAll();

    assertThat(whom).containsExactly(ONE, TWO, ONE, TWO);
    assertThat(unknown).containsExactly(true);
  }

  @Test
  void whoCannotBeAskedMayHaveWhatTheOthersSayThatTheyHaveNot() {
    connected.remove(ONE);
    copies.get(CID, block -> assertThat(block).isEmpty());
    refuseAll();

    passTime();
    refuseAll();

    assertThat(unknown).containsExactly(false);
  }

  @Test
  void whereNobodyAnswersNothingIsConcluded() {
    connected.clear();
    copies.get(CID, block -> assertThat(block).isEmpty());
    passTime();
    copies.get(CID, block -> assertThat(block).isEmpty());

    assertThat(unknown).isEmpty();
  }

  private void passTime() {
    for (int i = 0; i < 10 * OPTIONS.core().electionTicksMax() && asked.isEmpty(); i++) {
      copies.tick(++now);
    }
  }

  private void refuseAll() {
    while (!asked.isEmpty()) {
      MemberId from = whom.get(whom.size() - 1);
      copies.answer(from, new PeerMessage.Copy(asked.remove(0).id(), Optional.empty(), 0));
    }
  }

  private boolean send(MemberId to, PeerMessage message) {
    if (connected.contains(to)) {
      whom.add(to);
      asked.add((PeerMessage.CopyRequest) message);
    }
    return connected.contains(to);
  }

  /** Nothing is read or written where nobody has the block. */
  private static final class NoStorage implements Storage {
    @Override
    public <T> void run(
        Work kind, Function<Replica, T> work, Consumer<T> done, Consumer<Throwable> failed) {
      throw new IllegalStateException("storage was used");
    }
  }
}
