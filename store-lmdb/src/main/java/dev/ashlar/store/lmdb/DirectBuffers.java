package dev.ashlar.store.lmdb;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.util.Comparator;
import jnr.ffi.Pointer;
import org.lmdbjava.BufferProxy;

/**
 * Hands direct buffers to LMDB and LMDB's memory to us as direct buffers, through JNI. The
 * library's own proxy for byte buffers reaches into the JDK's internals and so needs a JVM flag;
 * this one needs none and copies nothing.
 */
final class DirectBuffers extends BufferProxy<ByteBuffer> {

  private static final ByteBuffer EMPTY = ByteBuffer.allocateDirect(0).asReadOnlyBuffer();
  private static final MemoryIO MEMORY = MemoryIO.getInstance();

  @Override
  protected ByteBuffer allocate() {
    return EMPTY;
  }

  @Override
  protected void deallocate(ByteBuffer buffer) {
    // The memory is LMDB's, or goes with its buffer.
  }

  @Override
  protected byte[] getBytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(buffer.position(), bytes);
    return bytes;
  }

  @Override
  protected Comparator<ByteBuffer> getSignedComparator() {
    return ByteBuffer::compareTo;
  }

  @Override
  protected Comparator<ByteBuffer> getUnsignedComparator() {
    return (a, b) -> {
      int mismatch = a.mismatch(b);
      return mismatch < 0 || mismatch == Math.min(a.remaining(), b.remaining())
          ? Integer.compare(a.remaining(), b.remaining())
          : Byte.compareUnsigned(a.get(a.position() + mismatch), b.get(b.position() + mismatch));
    };
  }

  @Override
  protected Pointer in(ByteBuffer buffer, Pointer target) {
    target.putLong(STRUCT_FIELD_OFFSET_SIZE, buffer.remaining());
    target.putLong(
        STRUCT_FIELD_OFFSET_DATA, MEMORY.getDirectBufferAddress(buffer) + buffer.position());
    return target;
  }

  @Override
  protected Pointer in(ByteBuffer buffer, int size, Pointer target) {
    target.putLong(STRUCT_FIELD_OFFSET_SIZE, size);
    target.putLong(
        STRUCT_FIELD_OFFSET_DATA, MEMORY.getDirectBufferAddress(buffer) + buffer.position());
    return target;
  }

  @Override
  protected ByteBuffer out(ByteBuffer ignored, Pointer source) {
    int size = Math.toIntExact(source.getLong(STRUCT_FIELD_OFFSET_SIZE));
    return size == 0
        ? EMPTY
        : MEMORY.newDirectByteBuffer(source.getLong(STRUCT_FIELD_OFFSET_DATA), size);
  }
}
