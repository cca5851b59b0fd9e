package dev.ashlar.block.engine;

import dev.ashlar.block.StoreDamagedException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The log of a {@link StorageEngine}, as it is read: for replication, and to apply it. What is
 * applied and what is not are both in it.
 *
 * <p>All methods are safe for any thread; they block on storage.
 */
public final class EngineLog {

  private final StorageEngine engine;

  EngineLog(StorageEngine engine) {
    this.engine = engine;
  }

  /** The entry at an index; empty outside base and last, and where it is damaged. */
  public Optional<LogEntry> entry(long index) {
    byte[] key = Keys.number(index);
    try (ReadTransaction transaction = engine.beginRead()) {
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
    try (ReadTransaction transaction = engine.beginRead();
        MapCursor cursor = transaction.cursor(MapName.LOG)) {
      // What the log ends with is said by the same transaction: a last entry can be missing too.
      long last = Recovery.state(transaction).last.index();
      boolean found = cursor.seek(Keys.number(index + 1));
      boolean wanted = true;
      for (long at = index + 1; wanted && at <= last; at++) {
        if (!found || Keys.number(cursor.key()) != at) {
          throw engine.damagedEntry(at);
        }
        Optional<LogEntry> entry = LogEntry.decode(cursor.key(), cursor.value());
        if (entry.isEmpty()) {
          throw engine.damagedEntry(at);
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
    try (ReadTransaction transaction = engine.beginRead()) {
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
    try (ReadTransaction transaction = engine.beginRead();
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
}
