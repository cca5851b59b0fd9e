package dev.ashlar.block.car;

import dev.ashlar.block.UnsignedVarint;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A stream that knows its offset and where it must end. Nothing is allocated on its word alone. */
final class CarInput {

  private static final int CHUNK_BYTES = 64 << 10;

  private final InputStream in;
  private long offset;
  private long end = Long.MAX_VALUE;

  CarInput(InputStream in) {
    this.in = in;
  }

  long offset() {
    return offset;
  }

  /** From now on the stream counts as ended at this offset. */
  void endAt(long offsetOfEnd) {
    end = offsetOfEnd;
  }

  boolean atEnd() {
    return offset == end;
  }

  /** A varint, or -1 where the input ends before its first byte. */
  long readVarintOrEnd(String what) throws IOException {
    byte[] bytes = new byte[UnsignedVarint.BYTES_MAX];
    long start = offset;
    for (int i = 0; i < bytes.length; i++) {
      int next = offset < end ? in.read() : -1;
      if (next < 0) {
        if (i == 0) {
          if (end != Long.MAX_VALUE && offset != end) {
            throw cutOff(what);
          }
          return -1;
        }
        throw cutOff(what);
      }
      offset++;
      bytes[i] = (byte) next;
      if (next < 0x80) {
        if (next == 0 && i > 0) {
          throw new CarException(what + " is not in its shortest form", start);
        }
        return UnsignedVarint.read(ByteBuffer.wrap(bytes, 0, i + 1));
      }
    }
    throw new CarException(what + " is a varint longer than nine bytes", start);
  }

  /** Exactly so many bytes, taken in growing steps so that a false length costs no memory. */
  byte[] readExactly(int length, String what) throws IOException {
    if (length > end - offset) {
      throw cutOff(what);
    }
    byte[] bytes = new byte[Math.min(length, CHUNK_BYTES)];
    int filled = 0;
    while (true) {
      int count = in.readNBytes(bytes, filled, bytes.length - filled);
      filled += count;
      offset += count;
      if (filled < bytes.length) {
        throw cutOff(what);
      }
      if (filled == length) {
        return bytes;
      }
      bytes = Arrays.copyOf(bytes, (int) Math.min(length, 2L * bytes.length));
    }
  }

  ByteBuffer readLittleEndian(int length, String what) throws IOException {
    return ByteBuffer.wrap(readExactly(length, what)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Passes over so many bytes, which must be there. */
  void skip(long length, String what) throws IOException {
    if (length > end - offset) {
      throw cutOff(what);
    }
    // By reading: a file's stream skips past its own end without a word.
    byte[] part = new byte[(int) Math.min(length, CHUNK_BYTES)];
    for (long left = length; left > 0; ) {
      int count = in.read(part, 0, (int) Math.min(left, part.length));
      if (count < 0) {
        throw cutOff(what);
      }
      offset += count;
      left -= count;
    }
  }

  /** Fails unless the stream has ended. */
  void requireEnd() throws IOException {
    if (in.read() >= 0) {
      throw new CarException("bytes follow the end of the CAR", offset);
    }
  }

  void close() throws IOException {
    in.close();
  }

  private CarException cutOff(String what) {
    return new CarException(what + " is cut off", offset);
  }
}
