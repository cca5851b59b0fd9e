package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockDamagedException;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStoreStatistics;
import dev.ashlar.block.Cid;
import dev.ashlar.block.FeedGoneException;
import dev.ashlar.block.Multicodec;
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
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

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

  /** How many blocks a scrub reads at a stretch. */
  private static final int SCRUB_BLOCKS_MAX = 512;

  /** A table is folded when it has so many root records: they are folded in one transaction. */
  private static final int ROOT_EFFECTS_MAX = 4096;

  /** More damaged slots than this are not remembered; they are found again when they are read. */
  private static final int DAMAGED_SLOTS_MAX = 10_000;

  private final Environment environment;
  private final EngineOptions options;
  private final ReentrantLock writer = new ReentrantLock();
  private final Optional<Damage> unreplayed;
  private volatile boolean hardStateIsStale;
  private final Set<Long> damagedSlots = ConcurrentHashMap.newKeySet();

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

  /** The entry at an index; empty outside base and last, and where it is damaged. */
  public Optional<LogEntry> entry(long index) {
    byte[] key = Keys.number(index);
    try (ReadTransaction transaction = beginRead()) {
      return transaction.get(MapName.LOG, key).flatMap(value -> LogEntry.decode(key, value));
    }
  }

  /**
   * Shows the entries after an index, in order, until the visitor has enough or the log ends.
   *
   * @param visitor says whether to go on
   * @throws StoreDamagedException when an entry is missing or damaged
   */
  public void entriesAfter(long index, Predicate<LogEntry> visitor) {
    try (ReadTransaction transaction = beginRead();
        MapCursor cursor = transaction.cursor(MapName.LOG)) {
      // What the log ends with is said by the same transaction: a last entry can be missing too.
      long last = Recovery.state(transaction).last.index();
      boolean found = cursor.seek(Keys.number(index + 1));
      boolean wanted = true;
      for (long at = index + 1; wanted && at <= last; at++) {
        if (!found || Keys.number(cursor.key()) != at) {
          throw damagedEntry(at);
        }
        Optional<LogEntry> entry = LogEntry.decode(cursor.key(), cursor.value());
        if (entry.isEmpty()) {
          throw damagedEntry(at);
        }
        wanted = visitor.test(entry.get());
        found = wanted && cursor.next();
      }
    }
  }

  /**
   * Reads the bytes that an entry brought, applied or not: for replication.
   *
   * @return empty where the slot is gone or its bytes are damaged
   */
  public <T> Optional<T> readPayload(Command.Put put, BlockReader<T> reader) {
    byte[] key = Keys.number(put.slot());
    try (ReadTransaction transaction = beginRead()) {
      return transaction
          .get(MapName.HEAP, key)
          .flatMap(value -> HeapRecord.read(key, value))
          .filter(found -> found.multihash().equals(put.multihash()) && found.bytesAreSound())
          .map(found -> reader.read(found.bytes(), found.payloadCrc()));
    }
  }

  /** A configuration that {@code meta} keeps: the one in force at an index. */
  public Optional<ByteBuffer> configurationAt(long index) {
    Optional<ByteBuffer> inForce = Optional.empty();
    try (ReadTransaction transaction = beginRead();
        MapCursor cursor = transaction.cursor(MapName.META)) {
      Meta.requireAll(transaction);
      boolean found = cursor.seek(Keys.configuration(0));
      while (found) {
        byte[] key = cursor.key();
        long at = Keys.configurationIndex(key);
        if (at < 0 || at > index) {
          break;
        }
        ByteBuffer value = cursor.value();
        if (!Checksum.isSound(key, value)) {
          throw new StoreDamagedException("the configuration of entry " + at + " is damaged");
        }
        int length = value.limit() - Checksum.BYTES;
        inForce = Optional.of(ByteBuffer.allocate(length).put(value.slice(0, length)).flip());
        found = cursor.next();
      }
    }
    return inForce;
  }

  /**
   * Reads a live block.
   *
   * @param cid what to name it in an error; its multihash is looked up
   * @return what the reader made of it, empty where the block is not live
   * @throws BlockDamagedException when its row or bytes fail their checksum, twice
   */
  public <T> Optional<T> read(Cid cid, BlockReader<T> reader) {
    // A slot can be freed between the look-up in a table and the transaction, and a first failure
    // may be a torn read: in both cases a second look decides.
    ReadAttempt<T> first = tryRead(cid, reader);
    return (first.failure().isEmpty() ? first : secondRead(cid, reader)).result();
  }

  /**
   * The length of a live block, empty where it is not live. Reads the index only.
   *
   * @throws BlockDamagedException when its row is damaged
   */
  public Optional<Integer> size(Cid cid) {
    Optional<IndexRow> effect = tables.find(cid.multihash());
    if (effect.isPresent()) {
      requireReadable();
      return effect.filter(row -> !row.isGone()).map(IndexRow::length);
    }
    try (ReadTransaction transaction = beginRead()) {
      Applier.Prior prior = Applier.Rows.folded(transaction, blocks(), cid.multihash());
      if (prior instanceof Applier.Prior.Damaged) {
        throw new BlockDamagedException(cid, "its index row fails its checksum");
      }
      return prior instanceof Applier.Prior.Live live
          ? Optional.of(live.row().length())
          : Optional.empty();
    }
  }

  /**
   * What every replica shows of a live block; empty where it is not live, or its row is damaged.
   */
  public Optional<ManifestRow> row(Multihash multihash) {
    EffectTable.Pair snapshot = tables;
    try (ReadTransaction transaction = beginRead()) {
      return new Applier.Rows(transaction, status.generation(), snapshot)
          .live(multihash)
          .map(row -> new ManifestRow(multihash, row.length(), row.codec(), row.lastPut()));
    }
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

  /**
   * Counts the root records that are folded.
   *
   * @return how many there are
   * @throws StoreDamagedException when the counter says another number, or one fails its checksum
   */
  public long countRoots() {
    try (ReadTransaction transaction = beginRead()) {
      EngineState durable = Recovery.state(transaction);
      MapName roots = MapName.roots(durable.generation);
      long rows = 0;
      try (MapCursor cursor = transaction.cursor(roots)) {
        boolean more = cursor.seek(new byte[] {0});
        for (; more; rows++) {
          if (RootRow.decode(cursor.key(), cursor.value()).isEmpty()) {
            throw new StoreDamagedException(
                "a root record fails its checksum: set the directory aside and join anew, or"
                    + " restore it from a backup");
          }
          more = cursor.next();
        }
      }
      if (rows != durable.foldedRoots) {
        throw new StoreDamagedException(
            "the counter says "
                + durable.foldedRoots
                + " root records and there are "
                + rows
                + ": set the directory aside and join anew, or restore it from a backup");
      }
      return rows;
    }
  }

  /**
   * Counts what is there, in one snapshot, beside writers.
   *
   * @param looksIntoHeap whether to read the header of every slot of the heap too, and not only
   *     their keys: to find what nothing refers to
   * @throws StoreDamagedException when the engine's state is damaged
   * @throws StoreClosedException when the store is closed meanwhile: nobody waits for the end
   */
  public Miscount count(boolean looksIntoHeap) {
    try (ReadTransaction transaction = beginRead()) {
      return new Count(transaction, () -> closed).run(looksIntoHeap);
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

  /**
   * A page of the live blocks. It may be shorter than the limit although there is a next one, but
   * is not empty then.
   */
  public BlockPage list(BlockCursor cursor, int limit) {
    BlockPage page = listOnce(cursor, limit);
    while (page.entries().isEmpty() && page.next().isPresent()) {
      page = listOnce(page.next().get(), limit);
    }
    return page;
  }

  /** Counters that are kept, as of the last durable batch. */
  public BlockStoreStatistics statistics() {
    EngineStatus now = status;
    return new BlockStoreStatistics(
        now.liveBlocks(), now.liveBytes(), Math.max(0, now.heapBytes() - now.liveBytes()));
  }

  /**
   * Compares a part of the heap with what refers to it: the other way round than {@link #scrub}. A
   * slot that nothing refers to although nothing is being swept means that a row of the index is
   * hidden, or that its bytes were never given back; {@link #count} tells which.
   *
   * @param from the first slot to look at
   */
  public HeapPage readHeap(long from) {
    EngineStatus before = status;
    EffectTable.Pair snapshot = tables;
    long slots = 0;
    long bytes = 0;
    long unreadable = 0;
    long unreferenced = 0;
    OptionalLong next = OptionalLong.empty();
    try (ReadTransaction transaction = beginRead();
        MapCursor cursor = transaction.cursor(MapName.HEAP)) {
      Applier.Rows rows = new Applier.Rows(transaction, status.generation(), snapshot);
      boolean more = cursor.seek(Keys.number(from));
      for (; more && slots < SCRUB_BLOCKS_MAX; slots++) {
        byte[] key = cursor.key();
        long slot = Keys.number(key);
        HeapRecord found = HeapRecord.read(key, cursor.value()).orElse(null);
        if (found == null) {
          unreadable++;
        } else {
          bytes += found.bytes().remaining();
          // A slot that a table has dropped is freed when the row that names it is folded.
          if (found.origin() <= before.base().index()
              && !rows.anyLayerNames(found.multihash(), slot)) {
            unreferenced++;
          }
        }
        more = cursor.next();
        next = more ? OptionalLong.of(slot + 1) : OptionalLong.empty();
      }
    }
    return new HeapPage(slots, bytes, unreadable, unreferenced, next);
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
   * readable by {@link #readHeld}. Effects and log entries pile up meanwhile; {@link #release()}
   * ends it.
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
              : entry(at).orElseThrow(() -> damagedEntry(at)).position();
      ByteBuffer configuration = configurationAt(at).orElse(ByteBuffer.allocate(0));
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

  /** Whether there is a row of the index under a multihash that fails its checksum. */
  public boolean isRowDamaged(Multihash multihash) {
    byte[] key = multihash.toBytes();
    try (ReadTransaction transaction = beginRead()) {
      return transaction
          .get(blocks(), key)
          .filter(value -> IndexRow.decode(key, value).isEmpty())
          .isPresent();
    }
  }

  /** Rows of the index that is held, ascending, after a multihash; none when there are no more. */
  public List<ManifestRow> manifestPage(Optional<Multihash> after, int limit) {
    List<ManifestRow> rows = new ArrayList<>();
    byte[] from = after.map(Multihash::toBytes).orElse(new byte[] {0});
    try (ReadTransaction transaction = beginRead();
        MapCursor cursor = transaction.cursor(blocks())) {
      boolean more = cursor.seek(from);
      while (more && rows.size() < limit) {
        byte[] key = cursor.key();
        if (!java.util.Arrays.equals(key, from)) {
          Multihash multihash = Multihash.decode(key);
          IndexRow row =
              IndexRow.decode(key, cursor.value())
                  .orElseThrow(
                      () ->
                          new BlockDamagedException(
                              Cid.v1(Multicodec.RAW, multihash),
                              "its index row fails its checksum: no manifest can name it"));
          rows.add(new ManifestRow(multihash, row.length(), row.codec(), row.lastPut()));
        }
        more = cursor.next();
      }
    }
    return rows;
  }

  /**
   * Root records of the index that is held, ascending, after a key; none when there are no more.
   */
  public List<RootRecord> manifestRoots(Optional<RootKey> after, int limit) {
    try (ReadTransaction transaction = beginRead()) {
      EffectTable.Pair none = new EffectTable.Pair(new EffectTable(), Optional.empty());
      return new RootListing(none, transaction, MapName.roots(status.generation()))
          .page(Optional.empty(), after, limit);
    }
  }

  /** Reads a block of the index that is held, whatever has become of it since. */
  public <T> Optional<T> readHeld(Multihash multihash, BlockReader<T> reader) {
    try (ReadTransaction transaction = beginRead()) {
      Applier.Prior prior = Applier.Rows.folded(transaction, blocks(), multihash);
      if (!(prior instanceof Applier.Prior.Live live)) {
        return Optional.empty();
      }
      byte[] key = Keys.number(live.row().slot());
      return transaction
          .get(MapName.HEAP, key)
          .flatMap(value -> HeapRecord.read(key, value))
          .filter(found -> found.multihash().equals(multihash) && found.bytesAreSound())
          .map(found -> reader.read(found.bytes(), found.payloadCrc()));
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

  /** Which blocks of a manifest's page this replica has to fetch. */
  public List<ManifestRow> missing(List<ManifestRow> rows) {
    EffectTable.Pair snapshot = tables;
    try (ReadTransaction transaction = beginRead()) {
      Applier.Rows present = new Applier.Rows(transaction, status.generation(), snapshot);
      MapName next = MapName.blocks(status.generation() + 1);
      return rows.stream()
          .filter(
              row ->
                  present.live(row.multihash()).isEmpty()
                      && !(Applier.Rows.folded(transaction, next, row.multihash())
                          instanceof Applier.Prior.Live))
          .toList();
    }
  }

  /**
   * Reads and re-hashes live blocks from a cursor on, until so many bytes have been read, or some
   * hundreds of blocks.
   *
   * @param bytesMax how many bytes to read, or one block
   */
  public ScrubPage scrub(BlockCursor cursor, long bytesMax) {
    List<Cid> damaged = new ArrayList<>();
    long blocks = 0;
    long bytes = 0;
    Optional<BlockCursor> next = Optional.of(cursor);
    BlockPage page = list(cursor, SCRUB_BLOCKS_MAX);
    for (BlockPage.Entry entry : page.entries()) {
      if (bytes >= bytesMax) {
        break;
      }
      blocks++;
      next = Optional.of(BlockCursor.after(entry.cid().multihash()));
      try {
        bytes +=
            read(entry.cid(), (payload, crc) -> Block.verified(entry.cid(), payload).size())
                .orElse(0);
      } catch (BlockException e) {
        damaged.add(entry.cid());
      }
    }
    if (blocks == page.entries().size()) {
      next = page.next();
    }
    return new ScrubPage(blocks, bytes, damaged, next);
  }

  /**
   * Re-hashes every block and compares counters, index and heap. Reads everything, in pages; blocks
   * that are put or deleted meanwhile are not held against the store.
   *
   * @param progress is told after each page how many bytes of blocks have been read
   */
  public VerifyReport verify(java.util.function.LongConsumer progress) {
    return new Verification(this, progress).run();
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

  StoreDamagedException damagedEntry(long index) {
    return new StoreDamagedException(
        "log entry "
            + index
            + " is missing or damaged: verify the store, and restore what it names");
  }

  boolean isDamaged(long slot) {
    return damagedSlots.contains(slot);
  }

  private void noteDamage(long slot) {
    if (slot != 0 && damagedSlots.size() < DAMAGED_SLOTS_MAX) {
      damagedSlots.add(slot);
    }
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
    batch.repaired().forEach(damagedSlots::remove);
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
    damagedSlots.clear();
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

  private void requireReadable() {
    if (closed) {
      throw new StoreClosedException();
    }
  }

  private BlockPage listOnce(BlockCursor cursor, int limit) {
    EffectTable.Pair snapshot = tables;
    try (ReadTransaction transaction = beginRead()) {
      return new Listing(snapshot, transaction, blocks()).page(cursor, limit);
    }
  }

  private <T> ReadAttempt<T> secondRead(Cid cid, BlockReader<T> reader) {
    ReadAttempt<T> attempt = tryRead(cid, reader);
    // Each further failure at another slot means that the block was put anew in between.
    for (long slot = 0; attempt.failure().isPresent() && attempt.slot() != slot; ) {
      slot = attempt.slot();
      attempt = tryRead(cid, reader);
    }
    if (attempt.failure().isPresent()) {
      noteDamage(attempt.slot());
      environment.doubt("block " + cid + ": " + attempt.failure().get());
      throw new BlockDamagedException(cid, attempt.failure().get());
    }
    return attempt;
  }

  private <T> ReadAttempt<T> tryRead(Cid cid, BlockReader<T> reader) {
    Multihash multihash = cid.multihash();
    IndexRow row = tables.find(multihash).orElse(null);
    if (row != null && row.isGone()) {
      requireReadable();
      return ReadAttempt.absent();
    }
    try (ReadTransaction transaction = beginRead()) {
      if (row == null) {
        Applier.Prior prior = Applier.Rows.folded(transaction, blocks(), multihash);
        if (prior instanceof Applier.Prior.Damaged) {
          return ReadAttempt.failed(0, "its index row fails its checksum");
        }
        if (!(prior instanceof Applier.Prior.Live live)) {
          return ReadAttempt.absent();
        }
        row = live.row();
      }
      byte[] key = Keys.number(row.slot());
      ByteBuffer value = transaction.get(MapName.HEAP, key).orElse(null);
      if (value == null) {
        return ReadAttempt.failed(row.slot(), "its bytes are missing");
      }
      HeapRecord found = HeapRecord.read(key, value).orElse(null);
      if (found == null || !found.multihash().equals(multihash)) {
        return ReadAttempt.failed(row.slot(), "the header of its bytes fails its checksum");
      }
      if (!found.bytesAreSound()) {
        return ReadAttempt.failed(row.slot(), "its bytes do not have the checksum they had");
      }
      return ReadAttempt.of(row.slot(), reader.read(found.bytes(), found.payloadCrc()));
    }
  }

  /**
   * @param slot where the block was looked for, 0 where that is not known
   * @param failure what is wrong there
   */
  private record ReadAttempt<T>(long slot, Optional<T> result, Optional<String> failure) {

    static <T> ReadAttempt<T> absent() {
      return new ReadAttempt<>(0, Optional.empty(), Optional.empty());
    }

    static <T> ReadAttempt<T> of(long slot, T result) {
      return new ReadAttempt<>(slot, Optional.of(result), Optional.empty());
    }

    static <T> ReadAttempt<T> failed(long slot, String what) {
      return new ReadAttempt<>(slot, Optional.empty(), Optional.of(what));
    }
  }
}
