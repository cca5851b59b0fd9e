package dev.ashlar.block.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.Seeds;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.root.Effect;
import dev.ashlar.block.root.FeedPage;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChange;
import dev.ashlar.block.root.RootChanges;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * What the engine must do over every {@link Environment}, and so what an environment must do for
 * it: the log, the lagging index, folds, compaction, recovery and damage, against a model.
 */
public abstract class StorageEngineContract extends StorageEngineDamageContract {

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
    assertThat(engine.log().entry(3)).isEmpty();
    assertThat(engine.log().entry(2)).contains(new LogEntry(2, 3, new Command.NoOp()));
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
    assertThat(engine.log().configurationAt(12)).contains(ByteBuffer.wrap(new byte[] {6}));
    try (EngineBatch batch = engine.begin()) {
      batch.append(1, new Command.Configuration(ByteBuffer.wrap(new byte[] {7})));
      batch.commit();
    }
    assertThat(engine.log().configurationAt(13)).contains(ByteBuffer.wrap(new byte[] {7}));
    assertThat(engine.log().configurationAt(12)).contains(ByteBuffer.wrap(new byte[] {6}));
    try (EngineBatch batch = engine.begin()) {
      batch.truncateFrom(13);
      batch.commit();
    }
    assertThat(engine.log().configurationAt(13)).contains(ByteBuffer.wrap(new byte[] {6}));
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
    assertThat(engine.audit().verify(bytes -> {}).findings()).isEmpty();
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
  void aStoreThatWaitsForItsFoldIsSound() {
    Block block = TestBlocks.numbered(1, 10);
    appendAndApply(block);
    compactAll();
    delete(block);

    assertThat(engine.audit().verify(bytes -> {}).findings()).isEmpty();
  }

  private static final class Model {
    final List<LogEntry> log = new ArrayList<>();
    final TreeMap<Multihash, Block> live = new TreeMap<>();
    final Map<Multihash, Long> lastPuts = new HashMap<>();
    final TreeMap<RootKey, RootRecord> roots = new TreeMap<>();
    final List<Optional<Effect>> effects = new ArrayList<>();
    final List<Block> brought = new ArrayList<>();
    long rootSetAt;
    int applied;
    HardState hardState = HardState.INITIAL;

    Model copy() {
      Model copy = new Model();
      copy.log.addAll(log);
      copy.live.putAll(live);
      copy.lastPuts.putAll(lastPuts);
      copy.roots.putAll(roots);
      copy.effects.addAll(effects);
      copy.rootSetAt = rootSetAt;
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
      effects.add(Optional.empty());
      if (command instanceof Command.NoOp) {
        return Outcome.NONE;
      }
      if (command instanceof Command.Roots change) {
        return change(change.changes());
      }
      if (command instanceof Command.Collect collect) {
        return collect(collect.garbage());
      }
      Multihash multihash = block.cid().multihash();
      boolean wasLive = live.containsKey(multihash);
      if (command instanceof Command.Delete) {
        live.remove(multihash);
        if (wasLive) {
          effect(new Effect.Deleted(applied, List.of(multihash)));
        }
        return wasLive ? Outcome.DELETED : Outcome.ABSENT;
      }
      if (wasLive || command instanceof Command.Put) {
        lastPuts.put(multihash, (long) applied);
      }
      if (command instanceof Command.Touch) {
        return wasLive ? Outcome.EXISTED : Outcome.GONE;
      }
      live.putIfAbsent(multihash, block);
      if (!wasLive) {
        effect(new Effect.Put(applied, block.cid(), block.size()));
      }
      return wasLive ? Outcome.EXISTED : Outcome.CREATED;
    }

    private Outcome change(RootChanges changes) {
      for (RootChange change : changes.changes()) {
        RootRecord present = roots.get(change.key());
        long changedAt = present == null ? 0 : present.changedAt();
        if (change.expected() != RootChange.ANY && change.expected() != changedAt) {
          return Outcome.CONFLICT;
        }
      }
      for (RootChange change : changes.changes()) {
        if (change.value().isEmpty()) {
          roots.remove(change.key());
        } else {
          roots.put(change.key(), new RootRecord(change.key(), change.value().get(), applied));
          rootSetAt = change.key().kind().keepsBlocks() ? applied : rootSetAt;
        }
      }
      effect(new Effect.Roots(applied, changes.changes()));
      return Outcome.CHANGED;
    }

    private Outcome collect(GarbageBatch garbage) {
      if (rootSetAt > garbage.markedAt()) {
        return Outcome.CONFLICT;
      }
      List<Multihash> removed =
          garbage.blocks().stream()
              .filter(m -> live.containsKey(m) && lastPuts.getOrDefault(m, 0L) <= garbage.graceAt())
              .toList();
      removed.forEach(live::remove);
      if (!removed.isEmpty()) {
        effect(new Effect.Deleted(applied, removed));
      }
      return Outcome.COLLECTED;
    }

    private void effect(Effect effect) {
      effects.set(applied - 1, Optional.of(effect));
    }
  }

  private void runModel(Random random) throws Exception {
    Model model = new Model();
    for (int step = 0; step < 120; step++) {
      Model after = model.copy();
      int kind = random.nextInt(20);
      if (kind == 0) {
        crashAndApplyAgain(model);
      } else if (kind == 1) {
        engine.freeze();
      } else if (kind == 4 || kind == 5) {
        applyOutsideOfABatch(random, model);
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
          crashAndApplyAgain(after);
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
    assertThat(engine.audit().verify(bytes -> {}).findings()).isEmpty();
  }

  /** What was applied outside of a batch may not be known to be: it happens again, the same way. */
  private void crashAndApplyAgain(Model model) throws Exception {
    crash();
    engine.apply(model.applied, true);
  }

  private void applyOutsideOfABatch(Random random, Model model) {
    int target = model.applied + random.nextInt(model.log.size() - model.applied + 1);
    List<Outcome> outcomes = new ArrayList<>();
    while (model.applied < target) {
      outcomes.add(model.apply());
    }
    assertThat(engine.apply(target, true).stream().map(StorageEngine.Applied::outcome))
        .containsExactlyElementsOf(outcomes);
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
        switch (random.nextInt(11)) {
          case 0, 1 -> new Command.Delete(multihash);
          case 2 -> new Command.Touch(multihash);
          case 3 -> new Command.NoOp();
          case 4, 5 -> new Command.Roots(randomChanges(random, model));
          case 6 -> new Command.Collect(randomGarbage(random, model));
          default -> new Command.Put(multihash, Multicodec.RAW, 40, block.crc32c(), 0);
        };
    long index =
        command instanceof Command.Put ? batch.appendPut(term, block) : batch.append(term, command);
    model.log.add(new LogEntry(index, term, command));
    model.brought.add(block);
  }

  private static RootChanges randomChanges(Random random, Model model) {
    List<RootChange> changes = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      RootKey key =
          random.nextInt(4) == 0
              ? RootKey.stamp(10 * i + random.nextInt(3))
              : RootKey.reference("name " + i + random.nextInt(5));
      RootRecord present = model.roots.get(key);
      long expected =
          switch (random.nextInt(4)) {
            case 0 -> RootChange.ABSENT;
            case 1 -> RootChange.ANY;
            case 2 -> 1 + random.nextInt(model.log.size() + 1);
            default -> present == null ? RootChange.ABSENT : present.changedAt();
          };
      changes.add(
          random.nextInt(3) == 0
              ? RootChange.remove(key, expected)
              : RootChange.set(key, expected, new byte[] {(byte) random.nextInt(100)}));
    }
    return new RootChanges(changes);
  }

  private static GarbageBatch randomGarbage(Random random, Model model) {
    Set<Multihash> blocks = new LinkedHashSet<>();
    for (int i = random.nextInt(6); i >= 0; i--) {
      blocks.add(TestBlocks.numbered(random.nextInt(25), 40).cid().multihash());
    }
    long marked = Math.max(0, model.log.size() - random.nextInt(12));
    return new GarbageBatch(marked, Math.max(0, marked - random.nextInt(20)), List.copyOf(blocks));
  }

  private void checkRootsAndFeed(Model model) {
    for (RootKey.Kind kind : RootKey.Kind.values()) {
      RootKey all = RootKey.of(kind, new byte[0]);
      List<RootRecord> listed = new ArrayList<>();
      List<RootRecord> page = engine.roots(all, Optional.empty(), 2);
      while (!page.isEmpty()) {
        listed.addAll(page);
        page = engine.roots(all, Optional.of(page.get(page.size() - 1).key()), 2);
      }
      assertThat(listed)
          .containsExactlyElementsOf(
              model.roots.values().stream().filter(root -> root.key().kind() == kind).toList());
    }
    assertThat(engine.rootSetAt()).isEqualTo(model.rootSetAt);
    long base = engine.status().base().index();
    List<Effect> effects = new ArrayList<>();
    for (int i = (int) base; i < model.applied; i++) {
      model.effects.get(i).ifPresent(effects::add);
    }
    FeedPage feed = engine.effectsAfter(base, Integer.MAX_VALUE);
    assertThat(feed).isEqualTo(new FeedPage(effects, model.applied));
    if (base > 0) {
      assertThatThrownBy(() -> engine.effectsAfter(base - 1, 1))
          .isInstanceOf(FeedGoneException.class);
    }
  }

  private void check(Model model) {
    checkRootsAndFeed(model);
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
    Optional<LogEntry> found = engine.log().entry(index);
    if (index <= engine.status().base().index()) {
      assertThat(found).isEmpty();
      return;
    }
    LogEntry expected = model.log.get((int) index - 1);
    assertThat(found.orElseThrow().term()).isEqualTo(expected.term());
    if (found.get().command() instanceof Command.Put put) {
      Block block = model.brought.get((int) index - 1);
      assertThat(
              engine
                  .log()
                  .readPayload(put, (bytes, crc) -> Block.stored(block.cid(), copy(bytes), crc)))
          .contains(block);
    } else {
      assertThat(found.get().command()).isEqualTo(expected.command());
    }
  }
}
