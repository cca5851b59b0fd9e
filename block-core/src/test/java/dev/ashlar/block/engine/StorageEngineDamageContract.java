package dev.ashlar.block.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.TestBlocks;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What the engine makes of values that are damaged, missing, or not where they belong. */
public abstract class StorageEngineDamageContract extends StorageEngineCountContract {

  @Test
  void damagedBytesAreNamedAndRepairedByAnotherPut() {
    Block block = TestBlocks.numbered(1, 100);
    appendAndApply(block);
    compactAll();
    overwrite(MapName.HEAP, Keys.number(1));

    assertThatThrownBy(() -> read(block))
        .isInstanceOfSatisfying(
            BlockDamagedException.class, e -> assertThat(e.cid()).isEqualTo(block.cid()));
    VerifyReport report = engine.audit().verify(bytes -> {});
    assertThat(report.damaged()).containsExactly(block.cid());
    assertThat(report.isSound()).isFalse();

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.isKnownDamaged(block.cid().multihash())).isTrue();
      assertThat(batch.repair(block)).isTrue();
      batch.commit();
    }
    assertThat(read(block)).contains(block);
    assertThat(engine.audit().verify(bytes -> {}).isSound()).isTrue();
  }

  @Test
  void bytesThatTheDeviceDoesNotGiveAreDamaged() {
    Block block = TestBlocks.numbered(1, 100);
    appendAndApply(block);

    environment.set(FaultyEnvironment.Fault.GIVES_NO_BYTES);
    assertThatThrownBy(() -> read(block))
        .isInstanceOf(BlockDamagedException.class)
        .hasMessageContaining("cannot be read");
    assertThat(engine.audit().scrub(BlockCursor.START, 1000).damaged())
        .containsExactly(block.cid());

    environment.set(FaultyEnvironment.Fault.NONE);
    assertThat(read(block)).contains(block);
  }

  @Test
  void howFarReReadingHasComeIsKeptAndIsTheStartWhereItIsDamaged() throws Exception {
    assertThat(engine.audit().place()).isEqualTo(ScrubPlace.START);
    BlockCursor cursor = BlockCursor.after(TestBlocks.numbered(1, 100).cid().multihash());
    for (ScrubPlace place :
        List.of(
            new ScrubPlace(cursor, OptionalLong.empty(), 0),
            new ScrubPlace(BlockCursor.START, OptionalLong.of(7), 3))) {
      try (EngineBatch batch = engine.begin()) {
        batch.scrubbed(place);
        batch.commit();
      }
      crash();
      assertThat(engine.audit().place()).isEqualTo(place);
    }

    overwrite(MapName.META, Keys.SCRUB);
    crash();
    assertThat(engine.audit().place()).isEqualTo(ScrubPlace.START);

    remove(MapName.META, Keys.SCRUB);
    crash();
    assertThat(engine.audit().place()).isEqualTo(ScrubPlace.START);
    assertThat(engine.audit().verify(bytes -> {}).isSound()).isTrue();
  }

  @Test
  void aDamagedRowIsNamedAndRebuiltByAnotherPut() {
    Block block = TestBlocks.numbered(1, 100);
    appendAndApply(block);
    compactAll();
    overwrite(MapName.BLOCKS_EVEN, block.cid().multihash().toBytes());

    assertThatThrownBy(() -> read(block)).isInstanceOf(BlockDamagedException.class);
    assertThatThrownBy(() -> engine.size(block.cid())).isInstanceOf(BlockDamagedException.class);
    assertThat(engine.list(BlockCursor.START, 10).entries()).hasSize(1);

    try (EngineBatch batch = engine.begin()) {
      batch.appendPut(1, block);
      assertThat(batch.applyTo(batch.last().index())).containsExactly(Outcome.EXISTED);
      batch.commit();
    }
    compactAll();
    assertThat(read(block)).contains(block);
    assertThat(engine.status().liveBlocks()).isEqualTo(1);
  }

  @Test
  void aDamagedRowIsMendedByWhatAnotherReplicaHas() {
    Block block = TestBlocks.numbered(1, 100);
    appendAndApply(block);
    compactAll();
    ManifestRow row = engine.row(block.cid().multihash()).orElseThrow();
    overwrite(MapName.BLOCKS_EVEN, block.cid().multihash().toBytes());
    assertThat(engine.row(block.cid().multihash())).isEmpty();

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.mend(block, row.lastPut())).isTrue();
      assertThat(batch.mend(TestBlocks.numbered(2, 100), 1)).isFalse();
      batch.commit();
    }

    assertThat(engine.row(block.cid().multihash())).contains(row);
    assertThat(read(block)).contains(block);
    while (engine.isSweeping()) {
      try (EngineBatch batch = engine.begin()) {
        batch.commit();
      }
    }
    assertThat(engine.audit().verify(bytes -> {}).findings()).isEmpty();
  }

  @Test
  void aMendedRowKnowsOfTouchesThatWereAppliedWhileItWasDamaged() {
    Block block = TestBlocks.numbered(1, 100);
    appendAndApply(block);
    compactAll();
    ManifestRow row = engine.row(block.cid().multihash()).orElseThrow();
    overwrite(MapName.BLOCKS_EVEN, block.cid().multihash().toBytes());
    long touched;
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.Touch(block.cid().multihash()));
      touched = batch.last().index();
      assertThat(batch.applyTo(touched)).containsExactly(Outcome.EXISTED);
      batch.commit();
    }

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.mend(block, touched + 1)).as("by a replica that is ahead").isFalse();
      assertThat(batch.mend(block, row.lastPut())).isTrue();
      batch.commit();
    }

    assertThat(engine.row(block.cid().multihash()).map(ManifestRow::lastPut)).contains(touched);
  }

  @Test
  void aScrubFindsEveryDamagedBlockInPages() {
    List<Block> blocks = new ArrayList<>();
    for (int i = 1; i <= 20; i++) {
      blocks.add(TestBlocks.numbered(i, 100));
      appendAndApply(blocks.get(i - 1));
    }
    compactAll();
    overwrite(MapName.HEAP, Keys.number(7));
    overwrite(MapName.BLOCKS_EVEN, blocks.get(11).cid().multihash().toBytes());

    List<Multihash> damaged = new ArrayList<>();
    long bytes = 0;
    Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
    while (cursor.isPresent()) {
      ScrubPage page = engine.audit().scrub(cursor.get(), 250);
      page.damaged().forEach(cid -> damaged.add(cid.multihash()));
      bytes += page.bytes();
      cursor = page.next();
    }

    assertThat(damaged)
        .containsExactlyInAnyOrder(
            blocks.get(6).cid().multihash(), blocks.get(11).cid().multihash());
    assertThat(bytes).isEqualTo(18 * 100);
  }

  @Test
  void aDamagedLogEntryIsFoundAtOpenAndNothingAtOrAboveItIsCut() throws Exception {
    for (int i = 1; i <= 7; i++) {
      appendAndApply(TestBlocks.numbered(i, 10));
    }
    overwrite(MapName.LOG, Keys.number(5));

    crash();

    assertThat(engine.damage().map(Damage::index)).contains(5L);
    try (EngineBatch batch = engine.begin()) {
      batch.compactTo(7);
      batch.commit();
    }
    assertThat(engine.status().base().index()).isLessThan(5);
    assertThat(engine.log().entry(5)).isEmpty();
    assertThat(engine.log().entry(6)).isPresent();
  }

  @Test
  void damageBelowTheWatermarkCostsNoEffectAboveIt() throws Exception {
    while (engine.status().watermark() < 8) {
      appendAndApply(TestBlocks.numbered(engine.status().last().index() + 1, 10));
    }
    appendAndApply(TestBlocks.numbered(engine.status().last().index() + 1, 10));
    long last = engine.status().last().index();
    overwrite(MapName.LOG, Keys.number(engine.status().watermark()));

    crash();

    assertThat(engine.damage()).isPresent();
    assertThat(engine.unreplayedDamage()).isEmpty();
    for (long i = 1; i <= last; i++) {
      Block block = TestBlocks.numbered(i, 10);
      assertThat(read(block)).as("block %d of %d", i, last).contains(block);
    }
    assertThat(engine.status().liveBlocks()).isEqualTo(last);
  }

  @Test
  void damageAboveTheWatermarkIsNeverFoldedPast() throws Exception {
    for (int i = 1; i <= 6; i++) {
      appendAndApply(TestBlocks.numbered(i, 10));
    }
    overwrite(MapName.LOG, Keys.number(3));
    crash();

    engine.freeze();
    hardState(new HardState(2, Optional.empty()));

    assertThat(engine.unreplayedDamage().map(Damage::index)).contains(3L);
    assertThat(engine.status().watermark()).isLessThan(3);
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.NoOp());
      assertThatThrownBy(() -> batch.applyTo(7)).isInstanceOf(StoreFormatException.class);
    }
  }

  @Test
  void aLogEntryThatRotsWhileOpenStopsCompactionAndNothingElse() throws Exception {
    for (int i = 1; i <= 12; i++) {
      appendAndApply(TestBlocks.numbered(i, 10));
    }
    crash();
    engine.freeze();
    overwrite(MapName.LOG, Keys.number(5));
    for (int i = 0; i < 20; i++) {
      try (EngineBatch batch = engine.begin()) {
        batch.compactTo(Long.MAX_VALUE);
        batch.commit();
      }
    }

    assertThat(engine.status().base().index()).isEqualTo(4);
    assertThat(engine.damage().map(Damage::index)).contains(5L);
    appendAndApply(TestBlocks.numbered(13, 10));
    delete(TestBlocks.numbered(5, 10));
    assertThat(read(TestBlocks.numbered(5, 10))).isEmpty();
  }

  @Test
  void aMissingFormatVersionOverDataIsRefused() {
    appendAndApply(TestBlocks.numbered(1, 10));
    take(MapName.META, Keys.FORMAT);

    assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("format version is missing");
  }

  @Test
  void aMissingLogEntryIsDamage() throws Exception {
    for (int i = 1; i <= 3; i++) {
      appendAndApply(TestBlocks.numbered(i, 10));
    }
    take(MapName.LOG, Keys.number(3));

    crash();

    assertThat(engine.damage()).contains(new Damage(3, "the entry is missing"));
  }

  @Test
  void whatCannotBeMadeSenseOfAtOpenIsDamage() {
    appendAndApply(TestBlocks.numbered(1, 10));

    environment.set(FaultyEnvironment.Fault.HIDES_THE_LOG);
    assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("log entry 1");
    environment.set(FaultyEnvironment.Fault.BREAKS_AT_READ);
    assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
        .isExactlyInstanceOf(StoreFormatException.class)
        .hasRootCauseInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("nonsense");
    environment.set(FaultyEnvironment.Fault.NONE);
  }

  @Test
  void anUnknownFormatVersionIsRefusedByNumber() {
    byte[] version = ByteBuffer.allocate(8).putInt(99).array();
    put(MapName.META, Keys.FORMAT, Checksum.seal(Keys.FORMAT, version));

    assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("99");
  }

  @Test
  void whatIsMissingOfItselfIsNamed() throws Exception {
    try (EngineBatch batch = engine.begin()) {
      batch.member(new UUID(1, 2));
      batch.cluster(new UUID(3, 4));
      batch.shared();
      batch.hardState(new HardState(1, Optional.empty()));
      batch.append(1, new Command.Configuration(ByteBuffer.wrap(new byte[] {1})));
      batch.commit();
    }
    for (byte[] key :
        List.of(
            Keys.FORMAT,
            Keys.KEYS,
            Keys.STATE,
            Keys.MEMBER,
            Keys.CLUSTER,
            Keys.SHARED,
            Keys.hardState(1),
            Keys.configuration(1))) {
      byte[] lost = take(MapName.META, key);

      assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
          .isInstanceOf(StoreDamagedException.class)
          .hasMessageContaining("missing");

      put(MapName.META, key, lost);
    }
    crash();
    assertThat(engine.member()).contains(new UUID(1, 2));
  }

  @Test
  void whatGoesMissingOfItselfWhileOpenIsNoticedWhenItIsAskedFor() {
    try (EngineBatch batch = engine.begin()) {
      batch.shared();
      batch.append(1, new Command.Configuration(ByteBuffer.wrap(new byte[] {1})));
      batch.append(1, new Command.Configuration(ByteBuffer.wrap(new byte[] {2})));
      batch.commit();
    }
    take(MapName.META, Keys.configuration(2));
    take(MapName.META, Keys.SHARED);

    assertThatThrownBy(() -> engine.log().configurationAt(2))
        .isInstanceOf(StoreDamagedException.class);
    assertThatThrownBy(engine::isShared).isInstanceOf(StoreDamagedException.class);
  }

  @Test
  void theEndOfTheLogIsMissedWhileOpen() {
    for (int i = 1; i <= 3; i++) {
      appendAndApply(TestBlocks.numbered(i, 10));
    }
    take(MapName.LOG, Keys.number(3));

    assertThatThrownBy(() -> engine.log().entriesAfter(0, entry -> true))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("log entry 3");
  }

  @Test
  void aValueThatTurnsUpWhereAnotherBelongsIsDamage() throws Exception {
    Block one = TestBlocks.numbered(1, 10);
    Block other = TestBlocks.numbered(2, 10);
    appendAndApply(one);
    appendAndApply(other);
    compactAll();
    appendAndApply(TestBlocks.numbered(3, 10));
    appendAndApply(TestBlocks.numbered(4, 10));
    put(MapName.HEAP, Keys.number(1), get(MapName.HEAP, Keys.number(2)));
    byte[] row = get(MapName.BLOCKS_EVEN, one.cid().multihash().toBytes());
    put(MapName.BLOCKS_EVEN, other.cid().multihash().toBytes(), row);
    put(MapName.LOG, Keys.number(3), get(MapName.LOG, Keys.number(4)));

    crash();

    assertThatThrownBy(() -> read(one)).isInstanceOf(BlockDamagedException.class);
    assertThatThrownBy(() -> read(other)).isInstanceOf(BlockDamagedException.class);
    assertThat(engine.damage().map(Damage::index)).contains(3L);
  }

  @Test
  void aStoreWithoutAListOfWhatItSaysOfItselfIsBroughtUpToDate() throws Exception {
    appendAndApply(TestBlocks.numbered(1, 10));
    take(MapName.META, Keys.KEYS);
    // The state of the first two versions has fourteen numbers, the last two of later ones not.
    byte[] now = get(MapName.META, Keys.STATE);
    byte[] then = ByteBuffer.allocate(14 * 8 + 4).put(now, 0, 14 * 8).array();
    put(MapName.META, Keys.STATE, Checksum.seal(Keys.STATE, then));
    byte[] first = ByteBuffer.allocate(8).putInt(1).array();
    put(MapName.META, Keys.FORMAT, Checksum.seal(Keys.FORMAT, first));

    crash();

    assertThat(read(TestBlocks.numbered(1, 10))).isPresent();
    assertThat(ByteBuffer.wrap(get(MapName.META, Keys.FORMAT)).getInt())
        .isEqualTo(Recovery.FORMAT_VERSION);
    assertThat(get(MapName.META, Keys.KEYS)).isNotEmpty();
  }

  @Test
  void aSweepEndsWhenWhatItIsShownCannotBeFound() {
    Block block = TestBlocks.numbered(1, 10);
    ManifestRow row = new ManifestRow(block.cid().multihash(), 10, block.cid().codec(), 1);
    try (EngineBatch batch = engine.begin()) {
      batch.install(Optional.empty(), List.of(row), List.of(block), false);
      batch.commit();
    }
    try (EngineBatch batch = engine.begin()) {
      batch.abandonInstall();
      batch.commit();
    }
    environment.set(FaultyEnvironment.Fault.FINDS_NOTHING_TO_DELETE);
    try (EngineBatch batch = engine.begin()) {
      assertThatThrownBy(batch::commit)
          .isInstanceOf(StoreDamagedException.class)
          .hasMessageContaining("cannot be found");
    }
    environment.set(FaultyEnvironment.Fault.NONE);
  }
}
