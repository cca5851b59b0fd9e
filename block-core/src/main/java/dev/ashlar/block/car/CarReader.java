package dev.ashlar.block.car;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.BlockTooLargeException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Reads a CARv1 or CARv2 from a stream that need not seek, block by block, each one verified. Holds
 * one block at a time. For one thread.
 *
 * <p>A file that is cut off, has a block that is too large or does not hash to its CID, or goes on
 * after its end fails with a {@link CarException} that names the byte. (CARv1 and CARv2
 * specifications; a CARv2's index is checked for its shape and otherwise not used.)
 */
public final class CarReader implements Closeable {

  /** A CID of the longest multihash, with the longest codec. */
  private static final int CID_BYTES_MAX = 1 + 9 + 9 + 2 + 128;

  private static final int PRAGMA_BYTES = 11;
  private static final int V2_HEADER_BYTES = 40;

  private final CarInput in;
  private final CarLimits limits;
  private final int version;
  private final List<Cid> roots;
  private long dataEnd = -1;
  private long indexOffset;
  private boolean finished;

  /** How much of a block that was refused unread is still to come. */
  private long refusedBytes;

  private Optional<IOException> failure = Optional.empty();

  private CarReader(InputStream in, CarLimits limits) throws IOException {
    this.in = new CarInput(new BufferedInputStream(in, 64 << 10));
    this.limits = limits;
    CarHeader header = readHeader();
    if (header.version() == 2) {
      this.version = 2;
      readV2Header();
      header = readHeader();
    } else {
      this.version = 1;
    }
    if (header.version() != 1) {
      throw new CarException("CAR version " + header.version() + " is not known here", 0);
    }
    this.roots = header.roots();
  }

  /**
   * Reads the header.
   *
   * @param in is read to its end, and closed with the reader
   * @throws CarException when it is not a CAR
   * @throws IOException when the stream fails
   */
  public static CarReader open(InputStream in, CarLimits limits) throws IOException {
    return new CarReader(in, limits);
  }

  /** 1 or 2. */
  public int version() {
    return version;
  }

  /** The CIDs that the file is about; may be empty; their blocks need not be in the file. */
  public List<Cid> roots() {
    return roots;
  }

  /** How many bytes of the stream have been read. */
  public long offset() {
    return in.offset();
  }

  /**
   * The next block, verified; empty when the file has come to its proper end.
   *
   * @throws CarException when the file is wrong here; the cause is a {@link BlockException} where
   *     it is the block that is refused: the next call goes on behind it
   * @throws IOException when the stream fails
   */
  public Optional<Block> next() throws IOException {
    if (finished) {
      return Optional.empty();
    }
    if (failure.isPresent()) {
      throw new CarException("the CAR is wrong before here", in.offset(), failure.get());
    }
    try {
      in.skip(refusedBytes, "a block that is too large");
      refusedBytes = 0;
      return read();
    } catch (CarException e) {
      boolean isRefused = e.getCause() instanceof BlockException;
      failure = isRefused ? Optional.empty() : Optional.of(e);
      throw e;
    } catch (IOException e) {
      failure = Optional.of(e);
      throw e;
    }
  }

  private Optional<Block> read() throws IOException {
    long sectionAt = in.offset();
    long length = in.atEnd() ? -1 : in.readVarintOrEnd("a section's length");
    if (length < 0) {
      finish();
      return Optional.empty();
    }
    if (length == 0) {
      throw new CarException("a section is empty", sectionAt);
    }
    if (length > (long) limits.blockBytesMax() + CID_BYTES_MAX) {
      refusedBytes = length;
      throw refused(
          sectionAt, new BlockTooLargeException(length - CID_BYTES_MAX, limits.blockBytesMax()));
    }
    long cidAt = in.offset();
    ByteBuffer section = ByteBuffer.wrap(in.readExactly((int) length, "a section"));
    Cid cid;
    try {
      cid = Cid.read(section);
    } catch (MalformedException e) {
      throw new CarException("a section has no CID: " + e.getMessage(), cidAt, e);
    }
    if (section.remaining() > limits.blockBytesMax()) {
      throw refused(
          sectionAt, new BlockTooLargeException(section.remaining(), limits.blockBytesMax()));
    }
    try {
      return Optional.of(Block.verified(cid, section));
    } catch (BlockException e) {
      throw refused(sectionAt, e);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private static CarException refused(long at, BlockException why) {
    return new CarException(String.valueOf(why.getMessage()), at, why);
  }

  private CarHeader readHeader() throws IOException {
    long lengthAt = in.offset();
    long length = in.readVarintOrEnd("the header's length");
    if (length < 0) {
      throw new CarException("the CAR is empty", lengthAt);
    }
    if (length == 0 || length > limits.headerBytesMax()) {
      throw new CarException(
          "a header of " + length + " bytes is not within 1 to " + limits.headerBytesMax(),
          lengthAt);
    }
    long headerAt = in.offset();
    try {
      return CarHeader.decode(ByteBuffer.wrap(in.readExactly((int) length, "the header")));
    } catch (MalformedException e) {
      throw new CarException("not a CAR header: " + e.getMessage(), headerAt, e);
    }
  }

  private void readV2Header() throws IOException {
    long headerAt = in.offset();
    if (headerAt != PRAGMA_BYTES) {
      throw new CarException("the CARv2 pragma is not 11 bytes long", 0);
    }
    ByteBuffer header = in.readLittleEndian(V2_HEADER_BYTES, "the CARv2 header");
    long dataOffset = header.getLong(16);
    long dataSize = header.getLong(24);
    indexOffset = header.getLong(32);
    if (dataOffset < PRAGMA_BYTES + V2_HEADER_BYTES) {
      throw new CarException("the CARv2 data begins inside the header", headerAt + 16);
    }
    if (dataSize <= 0 || dataSize > Long.MAX_VALUE - dataOffset) {
      throw new CarException(
          "the CARv2 data has no proper size; the file was not finished", headerAt + 24);
    }
    dataEnd = dataOffset + dataSize;
    if (indexOffset != 0 && indexOffset < dataEnd) {
      throw new CarException("the CARv2 index begins inside the data", headerAt + 32);
    }
    in.skip(dataOffset - in.offset(), "the padding before the CARv2 data");
    in.endAt(dataEnd);
  }

  private void finish() throws IOException {
    if (version == 2) {
      in.endAt(Long.MAX_VALUE);
      if (indexOffset != 0) {
        in.skip(indexOffset - in.offset(), "the padding before the CARv2 index");
        CarIndex.check(in);
      }
    }
    in.requireEnd();
    finished = true;
  }
}
