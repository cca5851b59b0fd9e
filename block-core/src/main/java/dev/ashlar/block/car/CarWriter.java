package dev.ashlar.block.car;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.UnsignedVarint;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Writes a CARv1 to a stream, block by block (CARv1 specification). The same roots and blocks in
 * the same order give the same bytes. Holds no block. For one thread.
 */
public final class CarWriter implements Closeable {

  private static final int COPY_BYTES = 8 << 10;

  private final OutputStream out;
  private final byte[] copy = new byte[COPY_BYTES];
  private long bytes;

  private CarWriter(OutputStream out) {
    this.out = out;
  }

  /**
   * Writes the header.
   *
   * @param out belongs to the writer and is closed with it
   */
  public static CarWriter open(OutputStream out, List<Cid> roots) throws IOException {
    CarWriter writer = new CarWriter(new BufferedOutputStream(out, 64 << 10));
    byte[] header = new CarHeader(1, roots).encode();
    writer.write(UnsignedVarint.encode(header.length));
    writer.write(header);
    return writer;
  }

  /**
   * Goes on with a CARv1 whose header, and perhaps blocks, are written already.
   *
   * @param out at the end of what is there; belongs to the writer and is closed with it
   */
  public static CarWriter append(OutputStream out) {
    return new CarWriter(new BufferedOutputStream(out, 64 << 10));
  }

  /**
   * Writes one block. A block of an identity CID is passed over: its bytes are in its CID, and no
   * CAR carries it (Trustless Gateway specification, identity CIDs).
   */
  public void write(Block block) throws IOException {
    if (block.cid().isIdentity()) {
      return;
    }
    int cidBytes = block.cid().size();
    long length = (long) cidBytes + block.size();
    ByteBuffer head = ByteBuffer.allocate(UnsignedVarint.size(length) + cidBytes);
    UnsignedVarint.write(length, head);
    block.cid().writeTo(head);
    write(head.array());
    // By way of a channel, whoever interrupts this thread would close the stream on theirs.
    ByteBuffer payload = block.bytes();
    while (payload.hasRemaining()) {
      int part = Math.min(payload.remaining(), COPY_BYTES);
      payload.get(copy, 0, part);
      out.write(copy, 0, part);
      bytes += part;
    }
  }

  /** How many bytes have been written. */
  public long bytes() {
    return bytes;
  }

  /** Hands what is buffered to the stream. */
  public void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void write(byte[] part) throws IOException {
    out.write(part);
    bytes += part.length;
  }
}
