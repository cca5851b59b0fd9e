package dev.ashlar.block.car;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.UnsignedVarint;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/**
 * Writes a CARv1 to a stream, block by block (CARv1 specification). The same roots and blocks in
 * the same order give the same bytes. Holds no block. For one thread.
 */
public final class CarWriter implements Closeable {

  private final OutputStream out;
  private final WritableByteChannel channel;
  private long bytes;

  private CarWriter(OutputStream out) {
    this.out = out;
    this.channel = Channels.newChannel(out);
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
    ByteBuffer payload = block.bytes();
    bytes += payload.remaining();
    while (payload.hasRemaining()) {
      channel.write(payload);
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
