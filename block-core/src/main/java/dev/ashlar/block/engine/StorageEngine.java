package dev.ashlar.block.engine;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.StoreFormatException;
import dev.ashlar.block.root.FeedPage;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A replica's storage: a log, a heap that holds every block's bytes once, and an index that lags.
 *
 * <p>Writes are made in {@link EngineBatch}es, one at a time, each one durable transaction. An
 * entry takes effect when it is applied; effects go to a table in memory, which is folded into the
 * index in slices once it is full, and is rebuilt from the log at start. Reads see applied entries
 * only.
 *
 * <p>A block's bytes live while something refers to their slot: the log entry that brought them,
 * the index, or a table. Truncation, compaction and the drop of an index row free them; nothing
 * else.
 *
 * <p>All methods are safe for any thread; they block on storage.
 */
public final class StorageEngine implements AutoCloseable {

  /** How often the free space is looked at, beside each batch that folds. */
  private static final int BATCHES_BETWEEN_LOOKS = 64;

  /** What an effect that waits to be folded takes in log and index, at the most. */
  private static final int EFFECT_BYTES = 1024;

  /** A fold is not followed by the next one at once when somebody waits for a hold. */
  private static final int FREEZE_PAUSE_BATCHES = 256;

  /** A table is folded when it has so many root records: they are folded in one transaction. */
  private static final int ROOT_EFFECTS_MAX = 4096;

  private final Environment environment;
  private final EngineOptions options;
  private final ReentrantLock writer = new ReentrantLock();
  private final Optional<Damage> unreplayed;
  private volatile boolean hardStateIsStale;
  private final LiveReads reads = new LiveReads(this);
  private final EngineLog log = new EngineLog(this);
  private final EngineManifest manifest = new EngineManifest(this);
  private final EngineAudit audit = new EngineAudit(this);

  private DeadSlots deadSlots;
  private volatile Optional<Installing> installing;
  private volatile Optional<Sweep> sweep;
  private final AtomicInteger holds = new AtomicInteger();
  private EngineState state;
  private long liveBlocks;
  private long liveBytes;
  private volatile long rootSetAt;

  /** Of entries that took effect outside of batches: the next one writes them. */
  private volatile List<KeptOutcome> unwrittenOutcomes = List.of();

  private volatile HardState hardState;
  private volatile EffectTable.Pair tables;
  private volatile EngineStatus status;
  private volatile Optional<StoreFailedException> failure = Optional.empty();
  private volatile Optional<Damage> damage;
  private volatile boolean closed;
  private volatile long freeBytesSeen = Long.MAX_VALUE;
  private int batchesSinceLook;

  /** Effects that were applied outside of batches: the next one folds as many more. */
  private int effectsSinceCommit;

  /** For how many batches no table is frozen, so that a hold finds no fold half-way. */
  private int freezePause;

  private StorageEngine(Environment environment, EngineOptions options, Recovery recovery) {
    this.environment = environment;
    this.options = options;
    this.damage = recovery.damage();
    this.unreplayed = recovery.unreplayed();
    this.hardStateIsStale = recovery.hardStateIsStale();
    this.state = recovery.state();
    this.deadSlots = new DeadSlots(state.last.index());
    this.installing = recovery.installing();
    this.sweep = recovery.sweep();
    this.hardState = recovery.hardState();
    this.tables = recovery.tables();
    this.liveBlocks = recovery.liveBlocks();
    this.liveBytes = recovery.liveBytes();
    this.rootSetAt = recovery.rootSetAt();
    this.status = currentStatus();
  }

  /**
   * Opens what is in the environment, or an empty engine where there is nothing. Reads the log
   * above its base; costs nothing for blocks.
   *
   * @param environment belongs to the engine from now on, and is closed with it
   * @throws StoreDamagedException when it is of an unknown version, or damaged at its root
   */
  public static StorageEngine open(Environment environment, EngineOptions options) {
    Recovery found;
    try {
      Recovery.prepare(environment);
      found = Recovery.read(environment);
    } catch (BlockException e) {
      throw e;
    } catch (RuntimeException e) {
      // What its checksums vouch for makes no sense to this release: no reason to give it up.
      StoreFormatException nonsense =
          new StoreFormatException(
              "what is stored makes no sense to this Ashlar ("
                  + e
                  + "): use the one that wrote it, or restore the directory from a backup");
      nonsense.initCause(e);
      throw nonsense;
    }
    return new StorageEngine(environment, options, found);
  }

  /**
   * Begins a batch; waits while another is open. The batch stays on this thread.
   *
   * @throws StoreClosedException after {@link #close()}
   * @throws StoreFailedException once storage has failed
   */
  public EngineBatch begin() {
    writer.lock();
    WriteTransaction transaction = null;
    try {
      requireUsable();
      transaction = environment.beginWrite();
      return new EngineBatch(this, transaction);
    } catch (Throwable e) {
      if (transaction != null) {
        transaction.close();
      }
      writer.unlock();
      throw e;
    }
  }

  /**
   * Applies committed entries, all of them durable, without a transaction of its own: their effects
   * are seen at once, and that they are applied becomes durable with the next batch. After a crash
   * before that they are applied again, with the same outcomes. Waits while a batch is open.
   *
   * @param index up to where
   * @param isOneOfMany whether other replicas must come to the same: then a row that is damaged
   *     here may not decide what is garbage
   * @return what became of each entry, in order
   * @throws StoreDamagedException when an entry is damaged, or such a row; nothing took effect
   */
  public List<Applied> apply(long index, boolean isOneOfMany) {
    writer.lock();
    try (ReadTransaction transaction = beginRead()) {
      requireUsable();
      if (unreplayed.isPresent() && index > state.applied) {
        throw damagedEntry(unreplayed.get().index());
      }
      if (index > state.last.index()) {
        throw new IllegalArgumentException(
            "entry " + index + " is above the last one, " + state.last.index());
      }
      Application application = new Application(transaction, state.generation, tables, rootSetAt);
      List<Applied> applied = new ArrayList<>();
      for (long i = state.applied + 1; i <= index; i++) {
        byte[] key = Keys.number(i);
        long at = i;
        LogEntry entry =
            transaction
                .get(MapName.LOG, key)
                .flatMap(value -> LogEntry.decode(key, value))
                .orElseThrow(() -> damagedEntry(at));
        applied.add(new Applied(entry, application.apply(entry, state.base.index())));
      }
      if (isOneOfMany && application.undecided().isPresent()) {
        throw new StoreDamagedException(
            "the row of "
                + application.undecided().get()
                + " is damaged, and whether it was collected is known to the others alone: set the"
                + " directory aside and join anew");
      }
      List<KeptOutcome> unwritten = new ArrayList<>(unwrittenOutcomes);
      unwritten.addAll(application.kept());
      unwrittenOutcomes = List.copyOf(unwritten);
      takeOver(application);
      effectsSinceCommit += application.effects().size();
      state.applied = Math.max(state.applied, index);
      freezeIfFull();
      status = currentStatus();
      return applied;
    } finally {
      writer.unlock();
    }
  }

  /**
   * An entry that has taken effect.
   *
   * @param entry the entry
   * @param outcome what became of it
   */
  public record Applied(LogEntry entry, Outcome outcome) {}

  /** Where the log stands, what is applied, how much there is; as of the last durable batch. */
  public EngineStatus status() {
    return status;
  }

  /** The failure of the storage after which nothing more is written. */
  public Optional<StoreFailedException> failure() {
    return failure;
  }

  /** The hard state as of the last durable batch. */
  public HardState hardState() {
    return hardState;
  }

  /** Which cluster the replica belongs to; empty where none has been founded or joined. */
  public Optional<UUID> cluster() {
    return identity(Keys.CLUSTER);
  }

  /** Which member the replica is; empty where it has never been one. */
  public Optional<UUID> member() {
    return identity(Keys.MEMBER);
  }

  /** Whether the log has ever been shared with other members of a cluster. */
  public boolean isShared() {
    try (ReadTransaction transaction = beginRead()) {
      return Meta.get(transaction, Keys.SHARED).isPresent();
    }
  }

  private Optional<UUID> identity(byte[] key) {
    try (ReadTransaction transaction = beginRead()) {
      Optional<ByteBuffer> value = Meta.get(transaction, key);
      if (value.isPresent() && !Checksum.isSound(key, value.get())) {
        throw new StoreDamagedException(
            "the identity of the replica is damaged: set the directory aside and join anew");
      }
      return value.map(v -> new UUID(v.getLong(0), v.getLong(Long.BYTES)));
    }
  }

  /**
   * Whether the newest hard state was found damaged at open, so that {@link #hardState()} is the
   * one before: a member must not vote in a term in which it may have voted already.
   */
  public boolean isHardStateStale() {
    return hardStateIsStale;
  }

  /** The lowest log entry that is known to be missing or damaged. */
  public Optional<Damage> damage() {
    return damage;
  }

  /**
   * The lowest damaged log entry above the watermark at open: the effects from there on are
   * unknown, so nothing is applied or folded, and reads show the state before it.
   */
  public Optional<Damage> unreplayedDamage() {
    return unreplayed;
  }

  /** The log, to be read. */
  public EngineLog log() {
    return log;
  }

  /** The index as others may have it. */
  public EngineManifest manifest() {
    return manifest;
  }

  /** Looks for damage. */
  public EngineAudit audit() {
    return audit;
  }

  /**
   * Reads a live block.
   *
   * @param cid what to name it in an error; its multihash is looked up
   * @return what the reader made of it, empty where the block is not live
   * @throws BlockDamagedException when its row or bytes fail their checksum, twice
   */
  public <T> Optional<T> read(Cid cid, BlockReader<T> reader) {
    return reads.read(cid, reader);
  }

  /**
   * The length of a live block, empty where it is not live. Reads the index only.
   *
   * @throws BlockDamagedException when its row is damaged
   */
  public Optional<Integer> size(Cid cid) {
    return reads.size(cid);
  }

  /**
   * What every replica shows of a live block; empty where it is not live, or its row is damaged.
   */
  public Optional<ManifestRow> row(Multihash multihash) {
    return reads.row(multihash);
  }

  /**
   * A page of the live blocks. It may be shorter than the limit although there is a next one, but
   * is not empty then.
   */
  public BlockPage list(BlockCursor cursor, int limit) {
    return reads.list(cursor, limit);
  }

  /**
   * What a root record says; empty where there is none.
   *
   * @throws StoreDamagedException when its row fails its checksum
   */
  public Optional<RootRecord> root(RootKey key) {
    EffectTable.Pair snapshot = tables;
    try (ReadTransaction transaction = beginRead()) {
      return new Applier.Rows(transaction, status.generation(), snapshot)
          .findRoot(key)
          .map(row -> row.as(key));
    }
  }

  /**
   * Root records in the order of their keys, after one and with a prefix.
   *
   * @param after the last key of the page before
   * @throws StoreDamagedException when a row fails its checksum
   */
  public List<RootRecord> roots(RootKey prefix, Optional<RootKey> after, int limit) {
    EffectTable.Pair snapshot = tables;
    try (ReadTransaction transaction = beginRead()) {
      return new RootListing(snapshot, transaction, MapName.roots(status.generation()))
          .page(prefix, after, limit);
    }
  }

  /**
   * What the entries after an index have changed, as far as they have taken effect.
   *
   * @param since an index that was told before, or {@link EngineStatus#applied}
   * @param entriesMax how many entries to look at; most have an effect
   * @throws FeedGoneException when the entries after it are not all kept any more
   */
  public FeedPage effectsAfter(long since, int entriesMax) {
    long applied = status.applied();
    // What is not in here any more is in the transaction, which begins later.
    List<KeptOutcome> unwritten = unwrittenOutcomes;
    try (ReadTransaction transaction = beginRead()) {
      return new FeedReader(unwritten, transaction).page(since, applied, entriesMax);
    }
  }

  /** Whether there is, or was, any root record: members that know of none cannot follow then. */
  public boolean hasRoots() {
    return status.applied() > 0
        && (rootSetAt > 0
            || Arrays.stream(RootKey.Kind.values())
                .anyMatch(
                    kind -> !roots(RootKey.of(kind, new byte[0]), Optional.empty(), 1).isEmpty()));
  }

  /** Counters that are kept, as of the last durable batch. */
  public BlockStoreStatistics statistics() {
    EngineStatus now = status;
    return new BlockStoreStatistics(
        now.liveBlocks(), now.liveBytes(), Math.max(0, now.heapBytes() - now.liveBytes()));
  }

  /** Says that what was read may not be what was written ({@link Environment#doubt}). */
  public void doubt(String why) {
    environment.doubt(why);
  }

  /**
   * Says that nobody is to go on from what is here ({@link Environment#condemn}).
   *
   * @param why for the error that whoever opens it again will see
   */
  public void condemn(String why) {
    environment.condemn(why);
  }

  /**
   * Looks at what lies beneath the maps ({@link Environment#findDamage}).
   *
   * @return what is wrong, empty where nothing is
   */
  public Optional<String> findDamage() {
    requireReadable();
    return environment.findDamage();
  }

  /** How many bytes can still be written, as a careful estimate. */
  public long freeBytes() {
    requireReadable();
    freeBytesSeen = environment.freeBytes();
    return freeBytesSeen;
  }

  /**
   * Freezes the active table whatever its size, unless one is being folded; the next batches fold
   * it. Waits while a batch is open.
   */
  public void freeze() {
    writer.lock();
    try {
      requireUsable();
      freezeActive();
    } finally {
      writer.unlock();
    }
  }

  /**
   * Lets folding and compaction rest, so that the index stays what it is: everything replicated as
   * of the watermark, which others may read in pages as a manifest, and whose blocks all stay
   * readable by {@link EngineManifest#read}. Effects and log entries pile up meanwhile; {@link
   * #release()} ends it.
   *
   * @return what the manifest stands for; empty while a fold is half-way, which further batches
   *     complete
   */
  public Optional<ManifestHead> hold() {
    writer.lock();
    try {
      requireUsable();
      if (tables.frozen().isPresent() || state.foldUpper != 0 || unreplayed.isPresent()) {
        freezePause = FREEZE_PAUSE_BATCHES;
        return Optional.empty();
      }
      long at = state.watermark;
      LogPosition position =
          at == state.base.index()
              ? state.base
              : log.entry(at).orElseThrow(() -> damagedEntry(at)).position();
      ByteBuffer configuration = log.configurationAt(at).orElse(ByteBuffer.allocate(0));
      holds.incrementAndGet();
      return Optional.of(
          new ManifestHead(
              position,
              configuration,
              state.foldedBlocks,
              state.foldedBytes,
              state.foldedRoots,
              state.foldedRootSetAt));
    } finally {
      writer.unlock();
    }
  }

  /** Ends one {@link #hold()}. */
  public void release() {
    writer.lock();
    try {
      holds.updateAndGet(n -> Math.max(0, n - 1));
    } finally {
      writer.unlock();
    }
  }

  /** Whether an install has been begun and neither completed nor given up. */
  public boolean isInstalling() {
    return installing.isPresent();
  }

  /** Whether what a switch left behind is still being swept; batches go on with it. */
  public boolean isSweeping() {
    return sweep.isPresent();
  }

  /**
   * Whether a batch would go on with folding or sweeping: worth one when nothing else is written.
   */
  public boolean hasUpkeep() {
    return !isHeld() && (tables.frozen().isPresent() || sweep.isPresent());
  }

  /** Waits for the open batch and for readers, then closes the environment. */
  @Override
  public void close() {
    writer.lock();
    try {
      if (!closed) {
        closed = true;
        environment.close();
      }
    } finally {
      writer.unlock();
    }
  }

  EngineState stateCopy() {
    return state.copy();
  }

  EffectTable.Pair tables() {
    return tables;
  }

  /**
   * How many steps that may each take so many bytes fit into a part of the free space: work is done
   * in smaller slices when the storage is nearly full, so that it can always be done.
   */
  int affordable(int bytesEach) {
    return (int) Math.min(Integer.MAX_VALUE, Math.max(16, freeBytesSeen / 4 / bytesEach));
  }

  /** Notes a log entry that turns out to be damaged while the engine is open. */
  void noteLogDamage(long index) {
    if (damage.isEmpty() || damage.get().index() > index) {
      damage = Optional.of(new Damage(index, "the entry is missing or fails its checksum"));
      environment.doubt("log entry " + index + " is missing or fails its checksum");
    }
  }

  Optional<Installing> installing() {
    return installing;
  }

  Optional<Sweep> sweep() {
    return sweep;
  }

  /** Whether folding and compaction rest. An install needs the slots that its rows point to. */
  public boolean isHeld() {
    return holds.get() > 0 || installing.isPresent();
  }

  int effectsSinceCommit() {
    return effectsSinceCommit;
  }

  long rootSetAt() {
    return rootSetAt;
  }

  List<KeptOutcome> unwrittenOutcomes() {
    return unwrittenOutcomes;
  }

  DeadSlots deadSlots() {
    return deadSlots;
  }

  EngineOptions options() {
    return options;
  }

  MapName blocks() {
    return MapName.blocks(status.generation());
  }

  LiveReads reads() {
    return reads;
  }

  StoreDamagedException damagedEntry(long index) {
    return new StoreDamagedException(
        "log entry "
            + index
            + " is missing or damaged: verify the store, and restore what it names");
  }

  void failed(StoreFailedException why) {
    failure = Optional.of(why);
  }

  /** Takes over what a batch has made durable: the table first, then what is applied. */
  void publish(EngineBatch batch) {
    state = batch.state();
    batch
        .newHardState()
        .ifPresent(
            value -> {
              hardState = value;
              hardStateIsStale = false;
            });
    reads.repaired(batch.repaired());
    EffectTable active = tables.active();
    takeOver(batch.application());
    effectsSinceCommit = 0;
    unwrittenOutcomes = List.of();
    freezePause = Math.max(0, freezePause - 1);
    installing = batch.installing();
    sweep = batch.sweep();
    if (batch.switched()) {
      beginGeneration();
      return;
    }
    deadSlots.compactedTo(state.base.index());
    if (batch.foldFinished()) {
      tables = new EffectTable.Pair(active, Optional.empty());
    }
    if (tables.frozen().isPresent() || ++batchesSinceLook >= BATCHES_BETWEEN_LOOKS) {
      batchesSinceLook = 0;
      freeBytesSeen = environment.freeBytes();
    }
    if (batch.settled()) {
      countLive();
    }
    freezeIfFull();
    status = currentStatus();
  }

  /** What is live is what is folded and what the tables will make of it. */
  private void countLive() {
    liveBlocks = state.foldedBlocks;
    liveBytes = state.foldedBytes;
    try (ReadTransaction transaction = beginRead()) {
      for (Multihash multihash : tables.multihashes()) {
        IndexRow effect = tables.find(multihash).orElseThrow();
        Applier.Prior prior = Applier.Rows.folded(transaction, blocks(), multihash);
        liveBlocks += effect.blocks() - prior.blocks();
        liveBytes += effect.length() - prior.bytes(effect);
      }
    }
  }

  /** The effects of the generation before are all replaced by the new one's rows. */
  private void beginGeneration() {
    tables = new EffectTable.Pair(new EffectTable(), Optional.empty());
    deadSlots = new DeadSlots(state.last.index());
    reads.forgetDamage();
    liveBlocks = state.foldedBlocks;
    liveBytes = state.foldedBytes;
    rootSetAt = state.foldedRootSetAt;
    status = currentStatus();
  }

  /** Effects become visible before the applied index that says so. */
  private void takeOver(Application application) {
    liveBlocks += application.blocksAdded();
    liveBytes += application.bytesAdded();
    application.died().forEach(deadSlots::add);
    tables.active().putAll(application.effects());
    tables.active().putRoots(application.rootEffects());
    rootSetAt = application.rootSetAt();
  }

  private void freezeIfFull() {
    int full = Math.min(options.tableEffectsMax(), affordable(EFFECT_BYTES));
    boolean isFull =
        tables.active().size() >= full || tables.active().roots().size() >= ROOT_EFFECTS_MAX;
    if (isFull && freezePause == 0) {
      freezeActive();
    }
  }

  void batchEnded() {
    writer.unlock();
  }

  ReadTransaction beginRead() {
    requireReadable();
    return environment.beginRead();
  }

  private void freezeActive() {
    EffectTable active = tables.active();
    if (!isHeld()
        && unreplayed.isEmpty()
        && tables.frozen().isEmpty()
        && state.applied > state.watermark) {
      tables =
          new EffectTable.Pair(
              new EffectTable(),
              Optional.of(EffectTable.Frozen.of(active, state.applied, rootSetAt)));
    }
  }

  private EngineStatus currentStatus() {
    return new EngineStatus(
        state.base,
        state.last,
        state.applied,
        state.watermark,
        state.generation,
        liveBlocks,
        liveBytes,
        state.heapSlots,
        state.heapBytes);
  }

  private void requireUsable() {
    requireReadable();
    if (failure.isPresent()) {
      StoreFailedException first = failure.get();
      throw new StoreFailedException(
          "the store takes no writes since its storage failed: " + first.getMessage(),
          first,
          false);
    }
  }

  void requireReadable() {
    if (closed) {
      throw new StoreClosedException();
    }
  }

  boolean isClosed() {
    return closed;
  }
}
