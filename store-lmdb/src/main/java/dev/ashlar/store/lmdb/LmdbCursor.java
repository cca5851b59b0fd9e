package dev.ashlar.store.lmdb;

import dev.ashlar.block.engine.MapCursor;
import java.nio.ByteBuffer;
import org.lmdbjava.Cursor;
import org.lmdbjava.GetOp;

/** A place in one of LMDB's maps. */
final class LmdbCursor implements MapCursor {

  private final Cursor<ByteBuffer> cursor;
  private final KeyBuffer keys;

  /**
   * @param keys the transaction's
   */
  LmdbCursor(Cursor<ByteBuffer> cursor, KeyBuffer keys) {
    this.cursor = cursor;
    this.keys = keys;
  }

  @Override
  public boolean seek(byte[] key) {
    try {
      return cursor.get(keys.of(key), GetOp.MDB_SET_RANGE);
    } catch (RuntimeException e) {
      throw LmdbErrors.translate(e, "reading", false);
    }
  }

  @Override
  public boolean next() {
    try {
      return cursor.next();
    } catch (RuntimeException e) {
      throw LmdbErrors.translate(e, "reading", false);
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
