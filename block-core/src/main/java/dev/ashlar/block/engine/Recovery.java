package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFormatException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an engine finds when it opens: state, hard state, the soundness of the log, and the effects
 * of applied entries that the index does not show yet.
 *
 * @param state the engine state, fresh where the environment is empty
 * @param hardState the newest sound one
 * @param hardStateIsStale whether a newer one was written and is damaged
 * @param damage the lowest log entry that is missing or damaged
 * @param unreplayed the lowest one above the watermark: from there on effects are unknown
 * @param tables the effects above the watermark, those of a fold that was under way as the frozen
 *     one
 * @param liveBlocks blocks that can be got
 * @param liveBytes their bytes
 * @param installing how far an install is that was under way
 * @param sweep what is still to be given back
 */
record Recovery(
    EngineState state,
    HardState hardState,
    boolean hardStateIsStale,
    Optional<Damage> damage,
    Optional<Damage> unreplayed,
    EffectTable.Pair tables,
    long liveBlocks,
    long liveBytes,
    long rootSetAt,
    Optional<Installing> installing,
    Optional<Sweep> sweep) {

  /** The version of the layout on disk that this engine reads and writes. */
  static final int FORMAT_VERSION = 3;

  /** The first one that can be read: {@code meta} has no list of its keys yet. */
  private static final int WITHOUT_KEYS = 1;

  /**
   * Writes the format version into an empty environment; checks it in another, and brings one of an
   * earlier version up to this one.
   */
  static void prepare(Environment environment) {
    try (ReadTransaction read = environment.beginRead()) {
      Optional<ByteBuffer> format = read.get(MapName.META, Keys.FORMAT);
      if (format.isPresent()) {
        if (requireKnown(format.get()) == FORMAT_VERSION) {
          return;
        }
      } else {
        requireEmpty(read);
      }
    }
    try (WriteTransaction write = environment.beginWrite()) {
      EngineState state = new EngineState();
      if (write.get(MapName.META, Keys.FORMAT).isPresent()) {
        // Every earlier version's state is without roots.
        state =
            write
                .get(MapName.META, Keys.STATE)
                .flatMap(EngineState::decodeWithoutRoots)
                .orElseThrow(Recovery::stateDamaged);
      }
      write.put(MapName.META, Keys.STATE, state.encode());
      byte[] version =
          ByteBuffer.allocate(Integer.BYTES + Checksum.BYTES).putInt(FORMAT_VERSION).array();
      write.put(MapName.META, Keys.FORMAT, Checksum.seal(Keys.FORMAT, version));
      Meta.list(write);
      write.commit();
    }
  }

  private static void requireEmpty(ReadTransaction read) {
    for (MapName map : MapName.values()) {
      try (MapCursor cursor = read.cursor(map)) {
        if (cursor.seek(new byte[] {0})) {
          throw new StoreDamagedException(
              "the format version is missing although there is data: restore the directory from a"
                  + " backup");
        }
      }
    }
  }

  static Recovery read(Environment environment) {
    try (ReadTransaction transaction = environment.beginRead()) {
      Meta.requireAll(transaction);
      EngineState state = state(transaction);
      Optional<HardState> newest = HardStates.read(transaction, state.hardStateSequence);
      HardState hardState =
          newest
              .or(() -> HardStates.read(transaction, state.hardStateSequence - 1))
              .orElse(HardState.INITIAL);
      boolean stale = newest.isEmpty() && state.hardStateSequence > 0;
      return replay(transaction, state, hardState, stale, checkLog(transaction, state));
    }
  }

  /** What is durable of the engine's state. */
  static EngineState state(ReadTransaction transaction) {
    return transaction
        .get(MapName.META, Keys.STATE)
        .flatMap(EngineState::decode)
        .orElseThrow(Recovery::stateDamaged);
  }

  private static StoreDamagedException stateDamaged() {
    return new StoreDamagedException(
        "the engine's state is missing or damaged: set the directory aside and join anew, or"
            + " restore it from a backup");
  }

  private static int requireKnown(ByteBuffer format) {
    if (!Checksum.isSound(Keys.FORMAT, format)) {
      throw new StoreDamagedException(
          "the format version is damaged: restore the directory from a backup");
    }
    int version = format.getInt(0);
    if (version < WITHOUT_KEYS || version > FORMAT_VERSION) {
      throw new StoreFormatException(
          "the data is of format version "
              + version
              + " and this Ashlar knows version "
              + FORMAT_VERSION
              + ": use the Ashlar that wrote it, or a newer one");
    }
    return version;
  }

  /**
   * Entries from the base to the last one must follow each other, each with a sound header.
   *
   * @return what is wrong, the lowest entry of all and the lowest above the watermark
   */
  private static List<Damage> checkLog(ReadTransaction transaction, EngineState state) {
    List<Damage> damages = new ArrayList<>();
    long term = state.base.term();
    try (MapCursor cursor = transaction.cursor(MapName.LOG)) {
      boolean found = cursor.seek(Keys.number(state.base.index() + 1));
      for (long expected = state.base.index() + 1; expected <= state.last.index(); expected++) {
        if (!found || Keys.number(cursor.key()) != expected) {
          note(damages, state, expected, "the entry is missing");
          continue;
        }
        LogEntry entry = LogEntry.decode(cursor.key(), cursor.value()).orElse(null);
        if (entry == null) {
          note(damages, state, expected, "the entry fails its checksum");
        } else if (entry.term() < term || entry.term() > state.last.term()) {
          note(damages, state, expected, "its term does not fit those around it");
        } else {
          term = entry.term();
        }
        found = cursor.next();
      }
    }
    if (damages.isEmpty() && term != state.last.term()) {
      note(damages, state, state.last.index(), "its term is not the one in meta");
    }
    return damages;
  }

  /** Keeps the first one, and the first one above the watermark. */
  private static void note(List<Damage> damages, EngineState state, long index, String what) {
    boolean aboveKnown =
        !damages.isEmpty() && damages.get(damages.size() - 1).index() > state.watermark;
    if (damages.isEmpty() || (index > state.watermark && !aboveKnown)) {
      damages.add(new Damage(index, what));
    }
  }

  private static Recovery replay(
      ReadTransaction transaction,
      EngineState state,
      HardState hardState,
      boolean hardStateIsStale,
      List<Damage> damages) {
    Optional<Damage> lowest = damages.stream().findFirst();
    Optional<Damage> aboveWatermark =
        damages.stream().filter(damage -> damage.index() > state.watermark).findFirst();
    long readable =
        Math.min(state.applied, aboveWatermark.map(d -> d.index() - 1).orElse(state.applied));
    EffectTable folding = new EffectTable();
    EffectTable active = new EffectTable();
    Applier.Rows foldingRows =
        new Applier.Rows(
            transaction, state.generation, new EffectTable.Pair(folding, Optional.empty()));
    Applier applier = new Applier(foldingRows, state.foldedRootSetAt);
    long index = state.watermark + 1;
    for (; index <= Math.min(state.foldUpper, readable); index++) {
      LogEntry entry = entry(transaction, index);
      if (!isFolded(entry, state.foldDone)) {
        applier.apply(entry);
      }
    }
    folding.putAll(foldingRows.pending());
    folding.putRoots(foldingRows.pendingRoots());
    Optional<EffectTable.Frozen> frozen =
        state.foldUpper == 0
            ? Optional.empty()
            : Optional.of(EffectTable.Frozen.of(folding, state.foldUpper, applier.rootSetAt()));
    EffectTable.Pair tables = new EffectTable.Pair(active, frozen);
    Applier.Rows activeRows = new Applier.Rows(transaction, state.generation, tables);
    Applier activeApplier = new Applier(activeRows, applier.rootSetAt());
    for (; index <= readable; index++) {
      activeApplier.apply(entry(transaction, index));
    }
    active.putAll(activeRows.pending());
    active.putRoots(activeRows.pendingRoots());
    return new Recovery(
        state,
        hardState,
        hardStateIsStale,
        lowest,
        aboveWatermark,
        tables,
        state.foldedBlocks + applier.blocksAdded() + activeApplier.blocksAdded(),
        state.foldedBytes + applier.bytesAdded() + activeApplier.bytesAdded(),
        activeApplier.rootSetAt(),
        Installing.read(transaction),
        sweep(transaction, state));
  }

  /** What cannot be read of an install, or of how far a sweep is, means sweeping all again. */
  private static Optional<Sweep> sweep(ReadTransaction transaction, EngineState state) {
    boolean unreadable =
        isUnreadable(transaction, Keys.INSTALL) || isUnreadable(transaction, Keys.SWEEP);
    return unreadable ? Optional.of(new Sweep(1, state.nextSlot)) : Sweep.read(transaction);
  }

  private static boolean isUnreadable(ReadTransaction transaction, byte[] key) {
    return transaction
        .get(MapName.META, key)
        .map(value -> !Checksum.isSound(key, value))
        .orElseGet(() -> Meta.isListed(transaction, key));
  }

  private static LogEntry entry(ReadTransaction transaction, long index) {
    byte[] key = Keys.number(index);
    return transaction
        .get(MapName.LOG, key)
        .flatMap(value -> LogEntry.decode(key, value))
        .orElseThrow(
            () ->
                new StoreDamagedException(
                    "log entry "
                        + index
                        + " is shown and cannot be found: set the directory aside and join anew, or"
                        + " restore it from a backup"));
  }

  /** Whether the fold that was under way has done the entry's multihash already. */
  private static boolean isFolded(LogEntry entry, Optional<Multihash> done) {
    Command command = entry.command();
    Multihash multihash;
    if (command instanceof Command.Put put) {
      multihash = put.multihash();
    } else if (command instanceof Command.Touch touch) {
      multihash = touch.multihash();
    } else if (command instanceof Command.Delete delete) {
      multihash = delete.multihash();
    } else {
      return false;
    }
    return done.isPresent() && multihash.compareTo(done.get()) <= 0;
  }
}
