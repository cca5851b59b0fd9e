package dev.ashlar.block.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.Seeds;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.TestBlocks;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What the engine must do over every {@link Environment}, and so what an environment must do for
 * it: the log, the lagging index, folds, compaction, recovery and damage, against a model.
 */
public abstract class StorageEngineContract {

  /** Small enough that a short test freezes, folds and compacts many times. */
  private static final EngineOptions SMALL = new EngineOptions(8, 2, 3);

  @SuppressWarnings("NullAway.Init")
  private FaultyEnvironment environment;

  @SuppressWarnings("NullAway.Init")
  private StorageEngine engine;

  /** Opens an environment with nothing in it. */
  protected abstract Environment openEmpty() throws Exception;

  /** Opens the environment as it would be found after the process was killed. */
  protected abstract Environment reopenAfterCrash(Environment crashed) throws Exception;

  @SuppressWarnings("NullAway.Init")
  private Environment underneath;

  @BeforeEach
  final void open() throws Exception {
    underneath = openEmpty();
    environment = new FaultyEnvironment(underneath);
    engine = StorageEngine.open(environment, SMALL);
  }

  @AfterEach
  final void close() {
    engine.close();
  }

  @Test
  void entriesHaveNoEffectUntilTheyAreApplied() {
    Block block = TestBlocks.numbered(1, 100);
    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.appendPut(1, block)).isEqualTo(1);
      batch.commit();
    }

    assertThat(read(block)).isEmpty();
    assertThat(engine.status().last()).isEqualTo(new LogPosition(1, 1));
    assertThat(engine.status().applied()).isZero();

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.applyTo(1)).containsExactly(Outcome.CREATED);
      batch.commit();
    }
    assertThat(read(block)).contains(block);
  }

  @Test
  void outcomesFollowFromTheEntriesBefore() {
    Block block = TestBlocks.numbered(1, 100);
    Multihash multihash = block.cid().multihash();
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.Touch(multihash));
      batch.appendPut(1, block);
      batch.appendPut(1, block);
      batch.append(1, new Command.Touch(multihash));
      batch.append(1, new Command.Delete(multihash));
      batch.append(1, new Command.Delete(multihash));
      batch.append(1, new Command.NoOp());

      assertThat(batch.applyTo(7))
          .containsExactly(
              Outcome.GONE,
              Outcome.CREATED,
              Outcome.EXISTED,
              Outcome.EXISTED,
              Outcome.DELETED,
              Outcome.ABSENT,
              Outcome.NONE);
      batch.commit();
    }
  }

  @Test
  void aBatchThatIsNotCommittedLeavesNothing() {
    EngineStatus before = engine.status();
    try (EngineBatch batch = engine.begin()) {
      batch.appendPut(1, TestBlocks.numbered(1, 100));
      batch.applyTo(1);
      batch.hardState(new HardState(9, Optional.empty()));
    }

    assertThat(engine.status()).isEqualTo(before);
    assertThat(engine.hardState()).isEqualTo(HardState.INITIAL);
    assertThat(read(TestBlocks.numbered(1, 100))).isEmpty();
  }

  @Test
  void truncationDropsEntriesAndTheirBytesAndNeverAppliedOnes() {
    appendAndApply(TestBlocks.numbered(1, 100));
    try (EngineBatch batch = engine.begin()) {
      batch.appendPut(1, TestBlocks.numbered(2, 100));
      batch.appendPut(2, TestBlocks.numbered(3, 100));
      batch.commit();
    }
    assertThat(engine.status().heapSlots()).isEqualTo(3);

    try (EngineBatch batch = engine.begin()) {
      assertThatThrownBy(() -> batch.truncateFrom(1)).isInstanceOf(IllegalArgumentException.class);
      batch.truncateFrom(2);
      assertThat(batch.append(3, new Command.NoOp())).isEqualTo(2);
      batch.commit();
    }

    assertThat(engine.status().last()).isEqualTo(new LogPosition(2, 3));
    assertThat(engine.status().heapSlots()).isEqualTo(1);
    assertThat(engine.entry(3)).isEmpty();
    assertThat(engine.entry(2)).contains(new LogEntry(2, 3, new Command.NoOp()));
  }

  @Test
  void hardStateSurvivesAndDamageToTheNewestLeavesTheOneBefore() throws Exception {
    UUID vote = new UUID(1, 2);
    hardState(new HardState(5, Optional.of(vote)));
    hardState(new HardState(6, Optional.empty()));

    crash();
    assertThat(engine.hardState()).isEqualTo(new HardState(6, Optional.empty()));

    overwrite(MapName.META, Keys.hardState(2));
    crash();
    assertThat(engine.hardState()).isEqualTo(new HardState(5, Optional.of(vote)));
    assertThat(engine.isHardStateStale()).isTrue();
    hardState(new HardState(7, Optional.empty()));
    assertThat(engine.isHardStateStale()).isFalse();
  }

  @Test
  void configurationsAreKeptFromTheBaseOn() {
    for (int i = 1; i <= 6; i++) {
      try (EngineBatch batch = engine.begin()) {
        batch.append(1, new Command.Configuration(ByteBuffer.wrap(new byte[] {(byte) i})));
        batch.append(1, new Command.NoOp());
        batch.applyTo(batch.last().index());
        batch.commit();
      }
    }
    compactAll();

    assertThat(engine.status().base().index()).isEqualTo(12);
    assertThat(engine.configurationAt(12)).contains(ByteBuffer.wrap(new byte[] {6}));
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.Configuration(ByteBuffer.wrap(new byte[] {7})));
      batch.commit();
    }
    assertThat(engine.configurationAt(13)).contains(ByteBuffer.wrap(new byte[] {7}));
    assertThat(engine.configurationAt(12)).contains(ByteBuffer.wrap(new byte[] {6}));
    try (EngineBatch batch = engine.begin()) {
      batch.truncateFrom(13);
      batch.commit();
    }
    assertThat(engine.configurationAt(13)).contains(ByteBuffer.wrap(new byte[] {6}));
  }

  @Test
  void compactionKeepsLiveBytesAndDropsTheRest() {
    for (int i = 0; i < 40; i++) {
      appendAndApply(TestBlocks.numbered(i, 100));
    }
    for (int i = 0; i < 40; i += 2) {
      delete(TestBlocks.numbered(i, 100));
    }
    compactAll();

    assertThat(engine.status().base().index()).isEqualTo(60);
    assertThat(engine.status().heapSlots()).isEqualTo(20);
    assertThat(engine.status().heapBytes()).isEqualTo(2000);
    for (int i = 0; i < 40; i++) {
      Block block = TestBlocks.numbered(i, 100);
      assertThat(read(block)).isEqualTo(i % 2 == 0 ? Optional.empty() : Optional.of(block));
    }
    assertThat(engine.verify(bytes -> {}).findings()).isEmpty();
  }

  @Test
  void aModelAgreesWithRandomBatchesCrashesAndFaults() throws Exception {
    long seed = Seeds.next();
    for (int run = 0; run < Integer.getInteger("ashlar.runs", 12); run++) {
      engine.close();
      underneath = openEmpty();
      environment = new FaultyEnvironment(underneath);
      engine = StorageEngine.open(environment, SMALL);
      try {
        runModel(new Random(seed + run));
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("replay with -Dashlar.seed=" + (seed + run), e);
      }
    }
  }

  @Test
  void aWriteThatFindsNoRoomChangesNothingAndLaterOnesWork() {
    Block block = TestBlocks.numbered(1, 100);
    for (FaultyEnvironment.Fault fault :
        List.of(FaultyEnvironment.Fault.FULL_AT_WRITE, FaultyEnvironment.Fault.FULL_AT_COMMIT)) {
      EngineStatus before = engine.status();
      environment.set(fault);

      assertThatThrownBy(() -> appendAndApply(block)).isInstanceOf(NoSpaceException.class);

      assertThat(engine.status()).isEqualTo(before);
      assertThat(read(block)).isEmpty();
    }
    appendAndApply(block);
    assertThat(read(block)).contains(block);
  }

  @Test
  void afterAFailedSyncNothingMoreIsWritten() {
    Block block = TestBlocks.numbered(1, 100);
    environment.set(FaultyEnvironment.Fault.FAILS_BEFORE_COMMIT);

    assertThatThrownBy(() -> appendAndApply(block))
        .isInstanceOfSatisfying(
            StoreFailedException.class, e -> assertThat(e.outcomeUnknown()).isTrue());
    assertThatThrownBy(() -> appendAndApply(block))
        .isInstanceOfSatisfying(
            StoreFailedException.class, e -> assertThat(e.outcomeUnknown()).isFalse());
  }

  @Test
  void damagedBytesAreNamedAndRepairedByAnotherPut() {
    Block block = TestBlocks.numbered(1, 100);
    appendAndApply(block);
    compactAll();
    overwrite(MapName.HEAP, Keys.number(1));

    assertThatThrownBy(() -> read(block))
        .isInstanceOfSatisfying(
            BlockDamagedException.class, e -> assertThat(e.cid()).isEqualTo(block.cid()));
    VerifyReport report = engine.verify(bytes -> {});
    assertThat(report.damaged()).containsExactly(block.cid());
    assertThat(report.isSound()).isFalse();

    try (EngineBatch batch = engine.begin()) {
      assertThat(batch.isKnownDamaged(block.cid().multihash())).isTrue();
      assertThat(batch.repair(block)).isTrue();
      batch.commit();
    }
    assertThat(read(block)).contains(block);
    assertThat(engine.verify(bytes -> {}).isSound()).isTrue();
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
    assertThat(engine.verify(bytes -> {}).findings()).isEmpty();
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
      ScrubPage page = engine.scrub(cursor.get(), 250);
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
    assertThat(engine.entry(5)).isEmpty();
    assertThat(engine.entry(6)).isPresent();
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
    try (WriteTransaction write = underneath.beginWrite()) {
      write.delete(MapName.META, Keys.FORMAT);
      write.commit();
    }

    assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("format version is missing");
  }

  @Test
  void aStoreThatWaitsForItsFoldIsSound() {
    Block block = TestBlocks.numbered(1, 10);
    appendAndApply(block);
    compactAll();
    delete(block);

    assertThat(engine.verify(bytes -> {}).findings()).isEmpty();
  }

  @Test
  void aMissingLogEntryIsDamage() throws Exception {
    for (int i = 1; i <= 3; i++) {
      appendAndApply(TestBlocks.numbered(i, 10));
    }
    try (WriteTransaction write = underneath.beginWrite()) {
      write.delete(MapName.LOG, Keys.number(3));
      write.commit();
    }

    crash();

    assertThat(engine.damage()).contains(new Damage(3, "the entry is missing"));
  }

  @Test
  void anUnknownFormatVersionIsRefusedByNumber() {
    byte[] version = ByteBuffer.allocate(8).putInt(99).array();
    try (WriteTransaction write = underneath.beginWrite()) {
      write.put(MapName.META, Keys.FORMAT, Checksum.seal(Keys.FORMAT, version));
      write.commit();
    }

    assertThatThrownBy(() -> StorageEngine.open(environment, SMALL))
        .isInstanceOf(StoreFormatException.class)
        .hasMessageContaining("99");
  }

  /** What should be in the engine. */
  private static final class Model {
    final List<LogEntry> log = new ArrayList<>();
    final TreeMap<Multihash, Block> live = new TreeMap<>();
    final List<Block> brought = new ArrayList<>();
    int applied;
    HardState hardState = HardState.INITIAL;

    Model copy() {
      Model copy = new Model();
      copy.log.addAll(log);
      copy.live.putAll(live);
      copy.brought.addAll(brought);
      copy.applied = applied;
      copy.hardState = hardState;
      return copy;
    }

    void truncateFrom(int index) {
      while (log.size() >= index) {
        log.remove(log.size() - 1);
        brought.remove(brought.size() - 1);
      }
    }

    Outcome apply() {
      Block block = brought.get(applied);
      Command command = log.get(applied).command();
      applied++;
      if (command instanceof Command.NoOp) {
        return Outcome.NONE;
      }
      Multihash multihash = block.cid().multihash();
      boolean wasLive = live.containsKey(multihash);
      if (command instanceof Command.Delete) {
        live.remove(multihash);
        return wasLive ? Outcome.DELETED : Outcome.ABSENT;
      }
      if (command instanceof Command.Touch) {
        return wasLive ? Outcome.EXISTED : Outcome.GONE;
      }
      live.putIfAbsent(multihash, block);
      return wasLive ? Outcome.EXISTED : Outcome.CREATED;
    }
  }

  private void runModel(Random random) throws Exception {
    Model model = new Model();
    for (int step = 0; step < 120; step++) {
      Model after = model.copy();
      int kind = random.nextInt(20);
      if (kind == 0) {
        crash();
      } else if (kind == 1) {
        engine.freeze();
      } else {
        boolean done;
        if (kind == 2) {
          environment.set(
              random.nextBoolean()
                  ? FaultyEnvironment.Fault.FULL_AT_COMMIT
                  : FaultyEnvironment.Fault.FULL_AT_WRITE);
        } else if (kind == 3) {
          environment.set(FaultyEnvironment.Fault.FAILS_AFTER_COMMIT);
        }
        try {
          randomBatch(random, after);
          done = true;
        } catch (NoSpaceException e) {
          done = false;
        } catch (StoreFailedException e) {
          done = true;
          crash();
        }
        environment.set(FaultyEnvironment.Fault.NONE);
        model = done ? after : model;
      }
      check(model);
    }
    compactAll();
    check(model);
    long unappliedPuts =
        model.log.subList(model.applied, model.log.size()).stream()
            .filter(entry -> entry.command() instanceof Command.Put)
            .count();
    assertThat(engine.status().heapSlots()).isEqualTo(model.live.size() + unappliedPuts);
    assertThat(engine.verify(bytes -> {}).findings()).isEmpty();
  }

  private void randomBatch(Random random, Model model) {
    try (EngineBatch batch = engine.begin()) {
      if (random.nextInt(4) == 0 && model.log.size() > model.applied) {
        int from = model.applied + 1 + random.nextInt(model.log.size() - model.applied);
        batch.truncateFrom(from);
        model.truncateFrom(from);
      }
      long term = Math.max(1, batch.last().term() + (random.nextInt(5) == 0 ? 1 : 0));
      for (int entries = random.nextInt(6); entries > 0; entries--) {
        append(random, batch, model, term);
      }
      if (random.nextInt(4) == 0) {
        model.hardState = new HardState(term, Optional.of(new UUID(0, random.nextInt(5))));
        batch.hardState(model.hardState);
      }
      int target = model.applied + random.nextInt(model.log.size() - model.applied + 1);
      List<Outcome> outcomes = new ArrayList<>();
      while (model.applied < target) {
        outcomes.add(model.apply());
      }
      assertThat(batch.applyTo(target)).isEqualTo(outcomes);
      if (random.nextBoolean()) {
        batch.compactTo(random.nextInt(model.applied + 1));
      }
      batch.commit();
    }
  }

  private static void append(Random random, EngineBatch batch, Model model, long term) {
    Block block = TestBlocks.numbered(random.nextInt(25), 40);
    Multihash multihash = block.cid().multihash();
    Command command =
        switch (random.nextInt(8)) {
          case 0, 1 -> new Command.Delete(multihash);
          case 2 -> new Command.Touch(multihash);
          case 3 -> new Command.NoOp();
          default -> new Command.Put(multihash, Multicodec.RAW, 40, block.crc32c(), 0);
        };
    long index =
        command instanceof Command.Put ? batch.appendPut(term, block) : batch.append(term, command);
    model.log.add(new LogEntry(index, term, command));
    model.brought.add(block);
  }

  private void check(Model model) {
    EngineStatus status = engine.status();
    assertThat(status.applied()).isEqualTo(model.applied);
    assertThat(status.last().index()).isEqualTo(model.log.size());
    assertThat(engine.hardState()).isEqualTo(model.hardState);
    assertThat(status.watermark()).isLessThanOrEqualTo(status.applied());
    assertThat(status.base().index()).isLessThanOrEqualTo(status.watermark());
    assertThat(status.liveBlocks()).isEqualTo(model.live.size());
    for (int i = 0; i < 25; i++) {
      Block block = TestBlocks.numbered(i, 40);
      Optional<Block> expected =
          model.live.containsKey(block.cid().multihash()) ? Optional.of(block) : Optional.empty();
      assertThat(read(block)).isEqualTo(expected);
      assertThat(engine.size(block.cid()).isPresent()).isEqualTo(expected.isPresent());
    }
    List<Multihash> listed = new ArrayList<>();
    Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
    while (cursor.isPresent()) {
      BlockPage page = engine.list(cursor.get(), 3);
      page.entries().forEach(entry -> listed.add(entry.cid().multihash()));
      cursor = page.next();
    }
    assertThat(listed).containsExactlyElementsOf(model.live.keySet());
    for (long i = 1; i <= model.log.size(); i++) {
      checkEntry(model, i);
    }
  }

  private void checkEntry(Model model, long index) {
    Optional<LogEntry> found = engine.entry(index);
    if (index <= engine.status().base().index()) {
      assertThat(found).isEmpty();
      return;
    }
    LogEntry expected = model.log.get((int) index - 1);
    assertThat(found.orElseThrow().term()).isEqualTo(expected.term());
    if (found.get().command() instanceof Command.Put put) {
      Block block = model.brought.get((int) index - 1);
      assertThat(
              engine.readPayload(put, (bytes, crc) -> Block.stored(block.cid(), copy(bytes), crc)))
          .contains(block);
    } else {
      assertThat(found.get().command()).isEqualTo(expected.command());
    }
  }

  private void crash() throws Exception {
    underneath = reopenAfterCrash(underneath);
    environment = new FaultyEnvironment(underneath);
    engine = StorageEngine.open(environment, SMALL);
  }

  private void appendAndApply(Block block) {
    try (EngineBatch batch = engine.begin()) {
      batch.appendPut(1, block);
      batch.applyTo(batch.last().index());
      batch.commit();
    }
  }

  private void delete(Block block) {
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.Delete(block.cid().multihash()));
      batch.applyTo(batch.last().index());
      batch.commit();
    }
  }

  private void hardState(HardState hardState) {
    try (EngineBatch batch = engine.begin()) {
      batch.hardState(hardState);
      batch.commit();
    }
  }

  private void compactAll() {
    while (engine.status().base().index() < engine.status().applied()) {
      engine.freeze();
      try (EngineBatch batch = engine.begin()) {
        batch.compactTo(Long.MAX_VALUE);
        batch.commit();
      }
    }
  }

  /** Flips the last payload byte of a value behind the engine's back. */
  private void overwrite(MapName map, byte[] key) {
    try (WriteTransaction write = underneath.beginWrite()) {
      ByteBuffer value = write.get(map, key).orElseThrow();
      byte[] bytes = new byte[value.remaining()];
      value.get(bytes);
      bytes[bytes.length - 5] ^= 1;
      write.put(map, key, bytes);
      write.commit();
    }
  }

  private Optional<Block> read(Block block) {
    Cid cid = block.cid();
    return engine.read(cid, (bytes, crc) -> Block.stored(cid, copy(bytes), crc));
  }

  private static ByteBuffer copy(ByteBuffer bytes) {
    return ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
  }
}
