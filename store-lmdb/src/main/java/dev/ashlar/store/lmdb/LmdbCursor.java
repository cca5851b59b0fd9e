package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.MapCursor;
import java.nio.ByteBuffer;
import org.lmdbjava.Cursor;
import org.lmdbjava.GetOp;

/** A place in one of LMDB's maps. */
final class LmdbCursor implements MapCursor {

  private final LmdbEnvironment environment;
  private final Cursor<ByteBuffer> cursor;
  private final KeyBuffer keys;

  /**
   * @param keys the transaction's
   */
  LmdbCursor(LmdbEnvironment environment, Cursor<ByteBuffer> cursor, KeyBuffer keys) {
    this.environment = environment;
    this.cursor = cursor;
    this.keys = keys;
  }

  @Override
  public boolean seek(byte[] key) {
    try {
      return cursor.get(keys.of(key), GetOp.MDB_SET_RANGE);
    } catch (RuntimeException e) {
      throw environment.readFailing(e);
    }
  }

  @Override
  public boolean next() {
    try {
      return cursor.next();
    } catch (RuntimeException e) {
      throw environment.readFailing(e);
    }
  }

  @Override
  public byte[] key() {
    ByteBuffer key = cursor.key();
    byte[] copy = new byte[key.remaining()];
    key.get(key.position(), copy);
    return copy;
  }

  @Override
  public ByteBuffer value() {
    return cursor.val().asReadOnlyBuffer();
  }

  @Override
  public void close() {
    cursor.close();
  }
}
