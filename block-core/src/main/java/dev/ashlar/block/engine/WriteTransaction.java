package dev.ashlar.block.engine;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreFailedException;
import java.nio.ByteBuffer;

/**
 * Changes that become durable together. It reads what it has written. Closing without {@link
 * #commit()} undoes everything; after an exception nothing but closing is allowed.
 *
 * <p>All writes may throw {@link NoSpaceException}.
 */
public interface WriteTransaction extends ReadTransaction {

  /** Sets the value of a key. */
  void put(MapName map, byte[] key, byte[] value);

  /**
   * Makes room for a value and gives it out to be filled, which happens before the next call.
   *
   * @param key is above every key of the map
   * @return a buffer of that size at position 0
   */
  ByteBuffer reserve(MapName map, byte[] key, int size);

  /**
   * As {@link #reserve}, for any key; a value that is there is replaced.
   *
   * @return a buffer of that size at position 0
   */
  ByteBuffer replace(MapName map, byte[] key, int size);

  /** Removes a key; false when it was not there. */
  boolean delete(MapName map, byte[] key);

  /**
   * Makes the changes durable and visible to later readers, or throws: {@link NoSpaceException}
   * when certainly nothing changed, {@link StoreFailedException} when that is not certain.
   */
  void commit();
}
