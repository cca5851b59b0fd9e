package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Everything that one durable transaction holds: truncation, new entries and their bytes, hard
 * state, what is applied, and a slice of folding and compaction. It is durable when {@link
 * #commit()} returns, and undone when it is closed without.
 *
 * <p>For the one thread that {@link StorageEngine#begin() began} it; others wait.
 */
public final class EngineBatch implements AutoCloseable {

  /** What a change at a random place of a map may dirty. */
  private static final int PAGE_BYTES = 4096;

  private final StorageEngine engine;
  private final WriteTransaction transaction;
  private final EngineState state;
  private final Application application;
  private final List<LogEntry> appended = new ArrayList<>();
  private Optional<HardState> hardState = Optional.empty();
  private boolean open = true;
  private final List<Long> repaired = new ArrayList<>();
  private Optional<Installing> installing;
  private Optional<Sweep> sweep;
  private boolean foldFinished;
  private boolean switched;
  private boolean settled;
  private boolean folds = true;

  EngineBatch(StorageEngine engine, WriteTransaction transaction) {
    this.engine = engine;
    this.transaction = transaction;
    this.state = engine.stateCopy();
    this.installing = engine.installing();
    this.sweep = engine.sweep();
    this.application =
        new Application(transaction, state.generation, engine.tables(), engine.rootSetAt());
  }

  /** The last entry, those of this batch among them. */
  public LogPosition last() {
    return state.last;
  }

  /** Whether a put of this block would be a touch, after what this batch has applied. */
  public boolean isLive(Multihash multihash) {
    return application.rows().find(multihash) instanceof Applier.Prior.Live;
  }

  /** Whether the block is live and a read has found its copy here damaged. */
  public boolean isKnownDamaged(Multihash multihash) {
    return application
        .rows()
        .live(multihash)
        .filter(row -> engine.reads().isDamaged(row.slot()))
        .isPresent();
  }

  /**
   * Drops the entries from an index on, and the bytes that came with them.
   *
   * @throws IllegalArgumentException for an entry that is applied: those are never undone
   */
  public void truncateFrom(long index) {
    if (index <= state.applied || index <= state.base.index()) {
      throw new IllegalArgumentException(
          "entry " + index + " is applied (" + state.applied + ") and stays");
    }
    for (long i = state.last.index(); i >= index; i--) {
      LogEntry entry = required(i);
      if (entry.command() instanceof Command.Put put) {
        freeSlot(put.slot(), put.length());
      } else if (entry.command() instanceof Command.Configuration) {
        Meta.delete(transaction, Keys.configuration(i));
      }
      transaction.delete(MapName.LOG, Keys.number(i));
    }
    appended.removeIf(entry -> entry.index() >= index);
    if (index <= state.last.index()) {
      long before = index - 1;
      state.last = before == state.base.index() ? state.base : required(before).position();
    }
  }

  /**
   * Appends a put and its bytes.
   *
   * @param term at least the last entry's
   * @return the entry's index
   * @throws IllegalArgumentException when the block's buffer was changed after the block was made
   */
  public long appendPut(long term, Block block) {
    long slot = state.nextSlot;
    byte[] key = Keys.number(slot);
    long index = state.last.index() + 1;
    ByteBuffer target = transaction.reserve(MapName.HEAP, key, HeapRecord.size(block));
    HeapRecord.write(key, target, block, index);
    state.nextSlot++;
    state.heapSlots++;
    state.heapBytes += block.size();
    return append(
        term,
        new Command.Put(
            block.cid().multihash(), block.cid().codec(), block.size(), block.crc32c(), slot));
  }

  /**
   * Appends an entry without bytes.
   *
   * @param term at least the last entry's
   * @param command anything but a put that did not come through {@link #appendPut}
   * @return the entry's index
   */
  public long append(long term, Command command) {
    if (term < state.last.term() || term < 1) {
      throw new IllegalArgumentException("term " + term + " is below " + state.last.term());
    }
    LogEntry entry = new LogEntry(state.last.index() + 1, term, command);
    byte[] key = Keys.number(entry.index());
    byte[] value = entry.encode(key);
    transaction.reserve(MapName.LOG, key, value.length).put(value);
    if (command instanceof Command.Configuration configuration) {
      writeConfiguration(entry.index(), configuration.payload());
    }
    state.last = entry.position();
    appended.add(entry);
    return entry.index();
  }

  /** Sets what a Raft member must remember. */
  public void hardState(HardState newHardState) {
    hardState = Optional.of(newHardState);
  }

  /** Says which member the replica is. */
  public void member(UUID member) {
    writeIdentity(Keys.MEMBER, member);
  }

  /** Says which cluster the replica belongs to. */
  public void cluster(UUID cluster) {
    writeIdentity(Keys.CLUSTER, cluster);
  }

  /** Says that the log is shared with other members: nobody writes to it but their leader. */
  public void shared() {
    Meta.put(transaction, Keys.SHARED, Checksum.seal(Keys.SHARED, new byte[Checksum.BYTES]));
  }

  /** Says how far re-reading has come. */
  public void scrubbed(ScrubPlace place) {
    place.write(transaction);
  }

  private void writeIdentity(byte[] key, UUID id) {
    byte[] value =
        ByteBuffer.allocate(2 * Long.BYTES + Checksum.BYTES)
            .putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits())
            .array();
    Meta.put(transaction, key, Checksum.seal(key, value));
  }

  /**
   * Applies the committed entries up to an index.
   *
   * @return their outcomes, in order
   */
  public List<Outcome> applyTo(long index) {
    if (engine.unreplayedDamage().isPresent() && index > state.applied) {
      throw engine.damagedEntry(engine.unreplayedDamage().get().index());
    }
    if (index > state.last.index()) {
      throw new IllegalArgumentException(
          "entry " + index + " is above the last one, " + state.last.index());
    }
    List<Outcome> outcomes = new ArrayList<>();
    while (state.applied < index) {
      outcomes.add(application.apply(entry(state.applied + 1), state.base.index()));
      state.applied++;
    }
    return outcomes;
  }

  /**
   * Writes the bytes of a live block anew into the slot that it has, where its copy is damaged.
   *
   * @return false when the block is not live
   */
  public boolean repair(Block block) {
    Optional<IndexRow> row = application.rows().live(block.cid().multihash());
    if (row.isEmpty()) {
      return false;
    }
    byte[] key = Keys.number(row.get().slot());
    Optional<ByteBuffer> present = countedIfMissing(key, block);
    // Where the header is damaged, the log entry may be there or not; an origin of 0 could free the
    // slot under it. The last put is at or after the entry that brought the bytes, and compaction
    // passes both before the slot can be freed.
    long origin =
        present
            .flatMap(v -> HeapRecord.read(key, v))
            .map(HeapRecord::origin)
            .orElse(row.get().lastPut());
    ByteBuffer target = transaction.replace(MapName.HEAP, key, HeapRecord.size(block));
    HeapRecord.write(key, target, block, origin);
    repaired.add(row.get().slot());
    return true;
  }

  /**
   * Mends a live block by what another replica has of it: its bytes, and its row in the index where
   * that is damaged here.
   *
   * @param lastPut the index of the last put, as the other replica's row says it; what this one has
   *     applied since counts too
   * @return false when the block is not live, or the other replica is ahead: to be mended later
   */
  public boolean mend(Block block, long lastPut) {
    Multihash multihash = block.cid().multihash();
    if (!(application.rows().find(multihash) instanceof Applier.Prior.Damaged)) {
      return repair(block);
    }
    if (lastPut > state.applied) {
      return false;
    }
    long slot = state.nextSlot++;
    byte[] heapKey = Keys.number(slot);
    ByteBuffer target = transaction.reserve(MapName.HEAP, heapKey, HeapRecord.size(block));
    HeapRecord.write(heapKey, target, block, 0);
    state.heapSlots++;
    state.heapBytes += block.size();
    byte[] key = multihash.toBytes();
    IndexRow row =
        new IndexRow(slot, block.size(), block.cid().codec(), lastPutSince(lastPut, multihash));
    transaction.put(MapName.blocks(state.generation), key, row.encode(key));
    if (installing.isEmpty()) {
      // Which slot the damaged row named is not known: whatever nothing refers to goes.
      sweepFromNowOn();
    }
    return true;
  }

  /** A row that is damaged takes no touch: those that have been applied since are in the log. */
  private long lastPutSince(long lastPut, Multihash multihash) {
    for (long i = state.applied; i > Math.max(lastPut, state.base.index()); i--) {
      boolean isPut =
          stored(i)
              .map(LogEntry::command)
              .filter(
                  command ->
                      (command instanceof Command.Touch touch
                              && touch.multihash().equals(multihash))
                          || (command instanceof Command.Put put
                              && put.multihash().equals(multihash)))
              .isPresent();
      if (isPut) {
        return i;
      }
    }
    return lastPut;
  }

  /**
   * Writes the bytes that an entry brought anew, where they are damaged: others may need them from
   * the log although the block is gone.
   *
   * @param index the entry's
   */
  public void rewrite(long index, Command.Put put, Block block) {
    byte[] key = Keys.number(put.slot());
    var unused = countedIfMissing(key, block);
    ByteBuffer target = transaction.replace(MapName.HEAP, key, HeapRecord.size(block));
    HeapRecord.write(key, target, block, index);
    repaired.add(put.slot());
  }

  /**
   * The bytes of a slot that is about to be written anew. Where they are missing the counters go up
   * with what is there, although they had not gone down when it went: what they are off by is for
   * {@link #settle}.
   */
  private Optional<ByteBuffer> countedIfMissing(byte[] key, Block block) {
    Optional<ByteBuffer> present = transaction.get(MapName.HEAP, key);
    if (present.isEmpty()) {
      state.heapSlots++;
      state.heapBytes += block.size();
    }
    return present;
  }

  /**
   * Drops applied entries up to an index, as far as one batch goes and never past the watermark,
   * and the bytes that nothing refers to any more.
   */
  public void compactTo(long index) {
    if (engine.isHeld()) {
      return;
    }
    long target = Math.min(index, state.watermark);
    if (engine.damage().isPresent()) {
      target = Math.min(target, engine.damage().get().index() - 1);
    }
    int entriesMax =
        Math.min(engine.options().compactEntriesPerBatch(), engine.affordable(PAGE_BYTES));
    target = Math.min(target, state.base.index() + entriesMax);
    if (target <= state.base.index()) {
      return;
    }
    LogPosition newBase = state.base;
    for (long i = state.base.index() + 1; i <= target; i++) {
      if (i == target || !engine.deadSlots().knows(i)) {
        Optional<LogEntry> entry = stored(i);
        if (entry.isEmpty()) {
          engine.noteLogDamage(i);
          break;
        }
        if (!engine.deadSlots().knows(i)
            && entry.get().command() instanceof Command.Put put
            && !isFoldedAt(put)) {
          freeSlot(put.slot(), put.length());
        }
        newBase = entry.get().position();
      }
    }
    target = newBase.index();
    for (long i = state.base.index() + 1; i <= target; i++) {
      transaction.delete(MapName.LOG, Keys.number(i));
    }
    for (DeadSlots.Dead dead : engine.deadSlots().upTo(target)) {
      freeSlot(dead.slot(), dead.length());
    }
    state.base = newBase;
    dropConfigurationsBefore(newBase.index());
    dropOutcomesUpTo(newBase.index(), entriesMax);
  }

  /** What is left of them the next compaction drops. */
  private void dropOutcomesUpTo(long index, int limit) {
    List<byte[]> keys = new ArrayList<>();
    try (MapCursor cursor = transaction.cursor(MapName.OUTCOMES)) {
      boolean more = cursor.seek(new byte[] {0});
      while (more && keys.size() < limit && Keys.number(cursor.key()) <= index) {
        keys.add(cursor.key());
        more = cursor.next();
      }
    }
    keys.forEach(key -> transaction.delete(MapName.OUTCOMES, key));
  }

  /**
   * Takes a page of another replica's manifest into the next generation of the index. Until {@link
   * #switchTo} nothing of it is seen.
   *
   * @param after the last multihash of the page before, empty for the first page
   * @param rows ascending
   * @param fetched the blocks of {@link EngineManifest#missing}, verified by their hash
   * @param isLast whether no row comes after these
   */
  public void install(
      Optional<Multihash> after, List<ManifestRow> rows, List<Block> fetched, boolean isLast) {
    if (sweep.isPresent()) {
      throw new IllegalStateException("an earlier generation is still being swept");
    }
    Installing before = installing.orElse(Installing.NOTHING);
    installing =
        Optional.of(
            before.take(transaction, state, application.rows(), after, rows, fetched, isLast));
  }

  /**
   * Takes a page of the root records of another replica's manifest, as {@link #install}.
   *
   * @param after the last key of the page before, empty for the first page
   * @param records ascending
   * @param isLast whether none comes after these
   */
  public void installRoots(Optional<RootKey> after, List<RootRecord> records, boolean isLast) {
    if (sweep.isPresent()) {
      throw new IllegalStateException("an earlier generation is still being swept");
    }
    Installing before = installing.orElse(Installing.NOTHING);
    installing = Optional.of(before.takeRoots(transaction, state, after, records, isLast));
  }

  /**
   * Makes the next generation, now complete, the one in use: everything replicated is as the
   * manifest says, and the log begins anew after it.
   */
  public void switchTo(ManifestHead head) {
    Installing built = installing.orElse(Installing.NOTHING);
    // The bytes are counted anew here: where a damaged row was deleted the sender's count is off.
    if (built.blocks() != head.blocks() || built.roots() != head.roots()) {
      throw new IllegalStateException("the manifest is not installed whole: " + built);
    }
    if (head.at().index() <= state.applied) {
      throw new IllegalArgumentException(
          head.at() + " is not after what is applied, " + state.applied);
    }
    for (long i = head.at().index() + 1; i <= state.last.index(); i++) {
      transaction.delete(MapName.LOG, Keys.number(i));
    }
    dropAllConfigurations();
    if (head.configuration().hasRemaining()) {
      writeConfiguration(head.at().index(), head.configuration());
    }
    state.generation++;
    state.base = head.at();
    state.last = head.at();
    state.applied = head.at().index();
    state.watermark = head.at().index();
    state.foldUpper = 0;
    state.foldDone = Optional.empty();
    state.foldedBlocks = built.blocks();
    state.foldedBytes = built.bytes();
    state.foldedRoots = built.roots();
    state.foldedRootSetAt = head.rootSetAt();
    Meta.delete(transaction, Keys.INSTALL);
    appended.clear();
    switched = true;
    sweepFromNowOn();
  }

  /** Gives up an install that is under way; what it took is swept. */
  public void abandonInstall() {
    if (installing.isPresent()) {
      Meta.delete(transaction, Keys.INSTALL);
      sweepFromNowOn();
    }
  }

  /**
   * Sets the counters right, and gives back what nothing refers to, as much as there is room for.
   *
   * @param miscount of a snapshot of this store, by {@link EngineAudit#count}; of rows that are
   *     missing, or of a heap that is not known, nothing is settled
   * @return whether it was done; not where another generation is in use, something is being
   *     installed or swept, or a lost slot is gone already
   */
  public boolean settle(Miscount miscount) {
    boolean isAsItWas =
        installing.isEmpty()
            && sweep.isEmpty()
            && miscount.blocks() == 0
            && miscount.generation() == state.generation
            && miscount.lost().stream()
                .allMatch(slot -> transaction.get(MapName.HEAP, Keys.number(slot)).isPresent());
    if (isAsItWas) {
      state.foldedBytes += miscount.bytes();
      if (miscount.knowsHeap()) {
        state.heapSlots += miscount.slots();
        state.heapBytes += miscount.slotBytes();
      }
      miscount.lost().stream().limit(engine.affordable(PAGE_BYTES)).forEach(this::giveBack);
      settled = true;
    }
    return isAsItWas;
  }

  private void giveBack(long slot) {
    byte[] key = Keys.number(slot);
    int bytes =
        transaction
            .get(MapName.HEAP, key)
            .flatMap(value -> HeapRecord.read(key, value))
            .map(found -> found.bytes().remaining())
            .orElse(0);
    freeSlot(slot, bytes);
  }

  private void sweepFromNowOn() {
    installing = Optional.empty();
    Sweep all = new Sweep(1, state.nextSlot);
    all.write(transaction);
    sweep = Optional.of(all);
  }

  private void sweepSlice() {
    if (sweep.isPresent() && !switched) {
      int steps =
          Math.min(engine.options().compactEntriesPerBatch(), engine.affordable(PAGE_BYTES));
      sweep = sweep.get().slice(transaction, state, engine.tables(), steps);
    }
  }

  private void dropAllConfigurations() {
    for (long index : configurationsUpTo(Long.MAX_VALUE)) {
      Meta.delete(transaction, Keys.configuration(index));
    }
  }

  /** Leaves folding to a later batch: this one is to need as little room as it can. */
  public void leaveFolding() {
    folds = false;
  }

  /**
   * Makes the batch durable, together with a slice of folding.
   *
   * @throws NoSpaceException when there is no room; nothing changed
   * @throws StoreFailedException when the storage failed; whether it is durable is unknown
   */
  public void commit() {
    if (folds && !engine.isHeld()) {
      foldSlice();
      sweepSlice();
    }
    hardState.ifPresent(this::writeHardState);
    engine.unwrittenOutcomes().forEach(this::writeOutcome);
    application.kept().forEach(this::writeOutcome);
    Meta.put(transaction, Keys.STATE, state.encode());
    try {
      transaction.commit();
      engine.publish(this);
    } catch (NoSpaceException e) {
      throw e;
    } catch (StoreFailedException e) {
      engine.failed(e);
      throw e;
    } catch (RuntimeException | Error e) {
      // It may be durable although memory does not show it: going on would write over it.
      engine.failed(new StoreFailedException("a commit ended in an error: " + e, e, true));
      throw e;
    }
    end();
  }

  @Override
  public void close() {
    if (open) {
      end();
    }
  }

  EngineState state() {
    return state;
  }

  Application application() {
    return application;
  }

  Optional<HardState> newHardState() {
    return hardState;
  }

  List<Long> repaired() {
    return repaired;
  }

  Optional<Installing> installing() {
    return installing;
  }

  Optional<Sweep> sweep() {
    return sweep;
  }

  boolean switched() {
    return switched;
  }

  boolean settled() {
    return settled;
  }

  boolean foldFinished() {
    return foldFinished;
  }

  private void end() {
    open = false;
    try {
      transaction.close();
    } finally {
      engine.batchEnded();
    }
  }

  private LogEntry entry(long index) {
    if (!appended.isEmpty() && index >= appended.get(0).index()) {
      return appended.get((int) (index - appended.get(0).index()));
    }
    return required(index);
  }

  private LogEntry required(long index) {
    return stored(index).orElseThrow(() -> engine.damagedEntry(index));
  }

  private Optional<LogEntry> stored(long index) {
    byte[] key = Keys.number(index);
    return transaction.get(MapName.LOG, key).flatMap(value -> LogEntry.decode(key, value));
  }

  private boolean isFoldedAt(Command.Put put) {
    return Applier.Rows.folded(transaction, MapName.blocks(state.generation), put.multihash())
        .mayName(put.slot());
  }

  /** One slice of the fold that is under way: rows in the order of their multihashes. */
  private void foldSlice() {
    EffectTable.Frozen frozen = engine.tables().frozen().orElse(null);
    if (frozen == null) {
      return;
    }
    int from = frozen.indexAfter(state.foldDone);
    int slice =
        Math.min(
            Math.max(
                engine.options().foldRowsPerBatch(),
                2 * (application.effects().size() + engine.effectsSinceCommit())),
            engine.affordable(PAGE_BYTES));
    int to = (int) Math.min(frozen.order().size(), (long) from + slice);
    for (int i = from; i < to; i++) {
      Multihash multihash = frozen.order().get(i);
      fold(multihash, frozen.table().find(multihash).orElseThrow());
      state.foldDone = Optional.of(multihash);
    }
    state.foldUpper = frozen.upper();
    if (to == frozen.order().size()) {
      // At once, and with the watermark: conditions are judged anew after a crash, by the same
      // rows.
      frozen.table().roots().forEach(this::foldRoot);
      state.foldedRootSetAt = frozen.rootSetAt();
      state.watermark = frozen.upper();
      state.foldUpper = 0;
      state.foldDone = Optional.empty();
      foldFinished = true;
    }
  }

  private void fold(Multihash multihash, IndexRow effect) {
    MapName blocks = MapName.blocks(state.generation);
    byte[] key = multihash.toBytes();
    Applier.Prior prior = Applier.Rows.folded(transaction, blocks, multihash);
    if (prior instanceof Applier.Prior.Live live && live.row().slot() != effect.slot()) {
      freeUnlessLogged(live.row());
    }
    state.foldedBlocks += effect.blocks() - prior.blocks();
    state.foldedBytes += effect.length() - prior.bytes(effect);
    if (effect.isGone()) {
      transaction.delete(blocks, key);
    } else {
      transaction.put(blocks, key, effect.encode(key));
    }
  }

  private void foldRoot(RootKey rootKey, RootRow effect) {
    MapName roots = MapName.roots(state.generation);
    byte[] key = rootKey.toBytes();
    boolean isThere = transaction.get(roots, key).isPresent();
    if (effect.isGone()) {
      state.foldedRoots -= isThere ? 1 : 0;
      transaction.delete(roots, key);
    } else {
      state.foldedRoots += isThere ? 0 : 1;
      transaction.put(roots, key, effect.encode(key));
    }
  }

  private void writeOutcome(KeptOutcome kept) {
    if (kept.index() > state.base.index()) {
      byte[] key = Keys.number(kept.index());
      transaction.put(MapName.OUTCOMES, key, kept.encode(key));
    }
  }

  /** Frees the slot of a dropped row, unless its log entry is still there: then compaction does. */
  private void freeUnlessLogged(IndexRow row) {
    if (!application.noteIfLogged(row, state.base.index())) {
      freeSlot(row.slot(), row.length());
    }
  }

  private void freeSlot(long slot, int length) {
    if (transaction.delete(MapName.HEAP, Keys.number(slot))) {
      state.heapSlots--;
      state.heapBytes -= length;
    }
  }

  private void writeHardState(HardState value) {
    state.hardStateSequence++;
    byte[] key = Keys.hardState(state.hardStateSequence);
    Meta.put(transaction, key, HardStates.encode(key, state.hardStateSequence, value));
  }

  private void writeConfiguration(long index, ByteBuffer payload) {
    byte[] key = Keys.configuration(index);
    byte[] value = new byte[payload.remaining() + Checksum.BYTES];
    payload.duplicate().get(value, 0, payload.remaining());
    Meta.put(transaction, key, Checksum.seal(key, value));
  }

  /** Keeps the configuration in force at the base and all later ones. */
  private void dropConfigurationsBefore(long baseIndex) {
    List<Long> upToBase = configurationsUpTo(baseIndex);
    for (int i = 0; i < upToBase.size() - 1; i++) {
      Meta.delete(transaction, Keys.configuration(upToBase.get(i)));
    }
  }

  private List<Long> configurationsUpTo(long last) {
    List<Long> indexes = new ArrayList<>();
    try (MapCursor cursor = transaction.cursor(MapName.META)) {
      boolean found = cursor.seek(Keys.configuration(0));
      while (found) {
        long index = Keys.configurationIndex(cursor.key());
        if (index < 0 || index > last) {
          break;
        }
        indexes.add(index);
        found = cursor.next();
      }
    }
    return indexes;
  }
}
