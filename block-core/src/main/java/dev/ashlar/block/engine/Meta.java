package dev.ashlar.block.engine;

import dev.ashlar.block.StoreDamagedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The {@code meta} map with a list of its own keys, so that a row that goes missing is noticed: in
 * most of them absence would mean something, that nothing has been promised yet for one.
 */
final class Meta {

  private Meta() {}

  /** Writes a row, whose value is sealed already. */
  static void put(WriteTransaction transaction, byte[] key, byte[] sealed) {
    boolean isNew = transaction.get(MapName.META, key).isEmpty();
    transaction.put(MapName.META, key, sealed);
    if (isNew) {
      SortedSet<byte[]> keys = keys(transaction);
      if (keys.add(key)) {
        write(transaction, keys);
      }
    }
  }

  static void delete(WriteTransaction transaction, byte[] key) {
    SortedSet<byte[]> keys = keys(transaction);
    transaction.delete(MapName.META, key);
    if (keys.remove(key)) {
      write(transaction, keys);
    }
  }

  /**
   * A row.
   *
   * @throws StoreDamagedException when it is missing
   */
  static Optional<ByteBuffer> get(ReadTransaction transaction, byte[] key) {
    Optional<ByteBuffer> value = transaction.get(MapName.META, key);
    if (value.isEmpty() && isListed(transaction, key)) {
      throw missing(key);
    }
    return value;
  }

  /** Whether a row should be there. */
  static boolean isListed(ReadTransaction transaction, byte[] key) {
    return keys(transaction).contains(key);
  }

  /** Lists the rows that are there: for a store that has no list yet. */
  static void list(WriteTransaction transaction) {
    TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
    try (MapCursor cursor = transaction.cursor(MapName.META)) {
      boolean found = cursor.seek(new byte[] {0});
      while (found) {
        keys.add(cursor.key());
        found = cursor.next();
      }
    }
    keys.remove(Keys.KEYS);
    write(transaction, keys);
  }

  /**
   * Looks for what is missing.
   *
   * @throws StoreDamagedException when a row is missing that nothing else replaces
   */
  static void requireAll(ReadTransaction transaction) {
    for (byte[] key : keys(transaction)) {
      boolean isReplaced =
          Arrays.equals(key, Keys.INSTALL)
              || Arrays.equals(key, Keys.SWEEP)
              || Arrays.equals(key, Keys.SCRUB);
      if (!isReplaced && transaction.get(MapName.META, key).isEmpty()) {
        throw missing(key);
      }
    }
  }

  private static StoreDamagedException missing(byte[] key) {
    long configuration = Keys.configurationIndex(key);
    String name =
        configuration < 0
            ? "'" + new String(key, StandardCharsets.US_ASCII) + "'"
            : "the configuration of entry " + configuration;
    return new StoreDamagedException(
        name + " is missing: set the directory aside and join anew, or restore it from a backup");
  }

  private static SortedSet<byte[]> keys(ReadTransaction transaction) {
    ByteBuffer value =
        transaction
            .get(MapName.META, Keys.KEYS)
            .filter(v -> Checksum.isSound(Keys.KEYS, v))
            .orElseThrow(
                () ->
                    new StoreDamagedException(
                        "the list of what the store says of itself is missing or damaged: set the"
                            + " directory aside and join anew, or restore it from a backup"));
    TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
    int at = 0;
    while (at < value.limit() - Checksum.BYTES) {
      byte[] key = new byte[Byte.toUnsignedInt(value.get(at))];
      value.get(at + 1, key);
      keys.add(key);
      at += 1 + key.length;
    }
    return keys;
  }

  private static void write(WriteTransaction transaction, SortedSet<byte[]> keys) {
    int size = keys.stream().mapToInt(key -> 1 + key.length).sum();
    ByteBuffer value = ByteBuffer.allocate(size + Checksum.BYTES);
    keys.forEach(key -> value.put((byte) key.length).put(key));
    transaction.put(MapName.META, Keys.KEYS, Checksum.seal(Keys.KEYS, value.array()));
  }
}
