package dev.ashlar.block.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.TestBlocks;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What counting finds after damage, and that settling makes a store of it that verifies. */
public abstract class StorageEngineCountContract extends EngineFixture {

  private final Block one = TestBlocks.numbered(1, 100);
  private final Block other = TestBlocks.numbered(2, 30);

  @Test
  void aSoundStoreHasWhatIsCounted() {
    for (int i = 1; i <= 40; i++) {
      appendAndApply(TestBlocks.numbered(i, 10 * i));
      if (i % 3 == 0) {
        delete(TestBlocks.numbered(i - 1, 10 * (i - 1)));
      }
      assertThat(engine.audit().count(true).isNone()).isTrue();
      assertThat(engine.audit().count(false).isNone()).isTrue();
    }
    compactAll();
    assertThat(engine.audit().count(true).isNone()).isTrue();
  }

  @Test
  void whatADeletedBlockWithADamagedRowLeavesBehindIsGivenBack() throws Exception {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    overwrite(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    assertThat(engine.audit().count(true).lost()).isEmpty();
    delete(one);
    compactAll();
    assertThat(engine.audit().verify(bytes -> {}).findings()).hasSize(2);

    Miscount miscount = engine.audit().count(true);

    assertThat(miscount)
        .isEqualTo(new Miscount(0, 0, -100, 0, 0, List.of(1L), Miscount.Heap.KNOWN));
    settle(miscount);
    requireSound(1, 30);
    crash();
    requireSound(1, 30);
  }

  @Test
  void countersAreSetRightUnderEffectsThatAreNotFolded() {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    overwrite(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    delete(one);
    compactAll();
    Miscount miscount = engine.audit().count(true);
    appendAndApply(TestBlocks.numbered(3, 7));
    delete(other);
    appendAndApply(one);

    settle(miscount);

    requireSound(2, 107);
    compactAll();
    requireSound(2, 107);
  }

  @Test
  void aRowThatIsHiddenIsMissed() {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    take(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());

    assertThat(engine.audit().count(false).blocks()).isEqualTo(-1);
  }

  @Test
  void aRowFromNowhereIsOneTooManyUnlessItCannotBeRead() {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    byte[] key = one.cid().multihash().toBytes();
    byte[] row = take(MapName.BLOCKS_EVEN, key);
    put(MapName.BLOCKS_EVEN, TestBlocks.numbered(3, 1).cid().multihash().toBytes(), row);
    assertThat(engine.audit().count(false).blocks()).isZero();
    put(MapName.BLOCKS_EVEN, TestBlocks.numbered(4, 1).cid().multihash().toBytes(), row);
    assertThat(engine.audit().count(false).blocks()).isZero();

    take(MapName.BLOCKS_EVEN, TestBlocks.numbered(3, 1).cid().multihash().toBytes());
    take(MapName.BLOCKS_EVEN, TestBlocks.numbered(4, 1).cid().multihash().toBytes());
    put(MapName.BLOCKS_EVEN, key, row);
    byte[] stray = TestBlocks.numbered(5, 1).cid().multihash().toBytes();
    put(MapName.BLOCKS_EVEN, stray, new IndexRow(1, 100, 0x55, 1).encode(stray));
    assertThat(engine.audit().count(false).blocks()).isEqualTo(1);
  }

  @Test
  void bytesThatWentMissingAndWereWrittenAnewAreCountedOnce() {
    appendAndApply(one);
    compactAll();
    take(MapName.HEAP, Keys.number(1));
    Miscount missing = engine.audit().count(true);
    assertThat(missing).isEqualTo(new Miscount(0, 0, 0, -1, -100, List.of(), Miscount.Heap.KNOWN));
    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.repair(one)).isTrue();
      batch.commit();
    }
    assertThat(engine.audit().count(true)).isEqualTo(missing);

    settle(missing);

    requireSound(1, 100);
  }

  @Test
  void aSlotThatWentMissingBeforeItWasFreedIsTakenOffTheCount() {
    appendAndApply(one);
    compactAll();
    take(MapName.HEAP, Keys.number(1));
    delete(one);
    compactAll();

    settle(engine.audit().count(true));

    requireSound(0, 0);
  }

  @Test
  void aHeaderThatCannotBeReadIsGivenBackWhereNothingRefersToIt() {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    damageHeader(1);
    overwrite(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    delete(one);
    compactAll();

    settle(engine.audit().count(true));

    assertThat(engine.status().heapSlots()).isEqualTo(1);
    assertThat(engine.status().heapBytes()).isEqualTo(30);
    requireSound(1, 30);
  }

  @Test
  void aHeaderThatCannotBeReadStaysWhereARowRefersToIt() {
    appendAndApply(one);
    compactAll();
    damageHeader(1);

    assertThat(engine.audit().count(true))
        .isEqualTo(new Miscount(0, 0, 0, 0, 0, List.of(), Miscount.Heap.DAMAGED));
  }

  @Test
  void aHeaderThatCannotBeReadStaysWhereTheLogRefersToIt() {
    appendAndApply(one);
    delete(one);
    damageHeader(1);

    assertThat(engine.audit().count(true))
        .isEqualTo(new Miscount(0, 0, 0, 0, 0, List.of(), Miscount.Heap.DAMAGED));
  }

  @Test
  void aHeaderThatCannotBeReadStaysWhereALogEntryCannotBeReadEither() {
    appendAndApply(one);
    delete(one);
    damageHeader(1);
    overwrite(MapName.LOG, Keys.number(1));

    assertThat(engine.audit().count(true))
        .isEqualTo(new Miscount(0, 0, 0, 0, 0, List.of(), Miscount.Heap.DAMAGED));
  }

  @Test
  void whatARowWithADamagedKeyHidesIsNotGivenBack() {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    byte[] row = take(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    put(MapName.BLOCKS_EVEN, TestBlocks.numbered(3, 1).cid().multihash().toBytes(), row);

    assertThat(engine.audit().count(true))
        .isEqualTo(new Miscount(0, 0, 0, 0, 0, List.of(), Miscount.Heap.NUMBER));
  }

  @Test
  void missingRowsAreNotSettled() {
    appendAndApply(one);
    compactAll();
    take(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    Miscount miscount = engine.audit().count(true);
    assertThat(miscount.lost()).containsExactly(1L);

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.settle(miscount)).isFalse();
    }
  }

  @Test
  void anotherGenerationIsNotSettled() {
    appendAndApply(one);
    compactAll();
    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.settle(new Miscount(1, 0, 5, 0, 0, List.of(), Miscount.Heap.KNOWN)))
          .isFalse();
    }
  }

  @Test
  void aCountEndsWhenTheStoreIsClosed() {
    try (ReadTransaction transaction = underneath.beginRead()) {
      assertThat(new Count(transaction, () -> true).run(true).isNone()).isTrue();
    }
    try (EngineBatch batch = engine.begin()) {
      for (int i = 0; i < 2000; i++) {
        batch.appendPut(1, TestBlocks.numbered(i, 1));
      }
      batch.commit();
    }
    try (ReadTransaction transaction = underneath.beginRead()) {
      assertThatThrownBy(() -> new Count(transaction, () -> true).run(false))
          .isInstanceOf(StoreClosedException.class);
    }
  }

  @Test
  void nothingIsSettledOnceAnInstallHasBegun() {
    appendAndApply(one);
    compactAll();
    overwrite(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    delete(one);
    compactAll();
    Miscount miscount = engine.audit().count(true);
    ManifestRow row = new ManifestRow(other.cid().multihash(), 30, other.cid().codec(), 1);
    try (EngineBatch batch = engine.begin()) {
      batch.install(Optional.empty(), List.of(row), List.of(other), false);
      batch.commit();
    }

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.settle(miscount)).isFalse();
    }
    assertThat(engine.audit().count(true).lost()).isEmpty();
  }

  @Test
  void whatIsGoneByThenIsNotTakenOffTwice() {
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    overwrite(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    delete(one);
    compactAll();
    Miscount miscount = engine.audit().count(true);
    settle(miscount);

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.settle(miscount)).isFalse();
    }
    requireSound(1, 30);
  }

  private void settle(Miscount miscount) {
    assertThat(miscount.isNone()).isFalse();
    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.settle(miscount)).isTrue();
      batch.commit();
    }
  }

  private void damageHeader(long slot) {
    byte[] value = get(MapName.HEAP, Keys.number(slot));
    value[1] ^= 1;
    put(MapName.HEAP, Keys.number(slot), value);
  }

  private void requireSound(long blocks, long bytes) {
    assertThat(engine.audit().verify(read -> {}).findings()).isEmpty();
    assertThat(engine.status().liveBlocks()).isEqualTo(blocks);
    assertThat(engine.status().liveBytes()).isEqualTo(bytes);
    assertThat(engine.audit().count(true).isNone()).isTrue();
  }
}
