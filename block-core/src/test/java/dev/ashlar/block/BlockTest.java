package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class BlockTest {

  private static final byte[] HELLO = "hello".getBytes(StandardCharsets.UTF_8);
  private static final String HELLO_CID =
      "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";

  @Test
  void aBlockIsNamedByWhatItsBytesHashTo() {
    Block block = Block.copyOf(HELLO);

    assertThat(block.cid().toString()).isEqualTo(HELLO_CID);
    assertThat(block.crc32c()).isEqualTo(0x9a71bb4c);
    assertThat(block.bytes().isReadOnly()).isTrue();
    assertThat(block.toByteArray()).isEqualTo(HELLO);
  }

  @Test
  void bytesThatAreNotTheCidsAreRefusedWithWhatTheyAre() {
    Cid cid = Cid.parse(HELLO_CID);

    assertThatThrownBy(() -> Block.verified(cid, ByteBuffer.wrap(new byte[] {1})))
        .isInstanceOfSatisfying(
            HashMismatchException.class,
            e -> {
              assertThat(e.expected()).isEqualTo(cid);
              assertThat(e.actual()).isEqualTo(Block.copyOf(new byte[] {1}).cid().multihash());
            });
  }

  @Test
  void anAssemblerTakesPartsAndMakesTheSameBlock() {
    BlockAssembler free = BlockAssembler.of(Multicodec.RAW, HashFunction.SHA2_256, -1, 5);
    BlockAssembler expecting = BlockAssembler.expecting(Cid.parse(HELLO_CID), 5, 5);
    for (byte next : HELLO) {
      free.add(ByteBuffer.wrap(new byte[] {next}));
      expecting.add(ByteBuffer.wrap(new byte[] {next}));
    }

    Block block = Block.copyOf(HELLO);
    assertThat(free.finish()).isEqualTo(block);
    Block made = expecting.finish();
    assertThat(made).isEqualTo(block);
    assertThat(made.crc32c()).isEqualTo(block.crc32c());
    assertThat(made.toByteArray()).isEqualTo(HELLO);
  }

  @Test
  void anAssemblerRefusesMoreThanTheLimitBeforeItTakesIt() {
    BlockAssembler assembler = BlockAssembler.of(Multicodec.RAW, HashFunction.SHA2_256, -1, 4);
    assembler.add(ByteBuffer.wrap(HELLO, 0, 4));

    assertThatThrownBy(() -> assembler.add(ByteBuffer.wrap(HELLO, 4, 1)))
        .isInstanceOf(BlockTooLargeException.class);
    assertThatThrownBy(() -> BlockAssembler.of(Multicodec.RAW, HashFunction.SHA2_256, 5, 4))
        .isInstanceOf(BlockTooLargeException.class);
  }

  @Test
  void storedBytesAreCheckedAgainstTheirChecksum() {
    Block block = Block.copyOf(HELLO);

    assertThat(Block.stored(block.cid(), block.bytes(), block.crc32c())).isEqualTo(block);
    assertThatThrownBy(() -> Block.stored(block.cid(), block.bytes(), block.crc32c() + 1))
        .isInstanceOfSatisfying(
            BlockDamagedException.class, e -> assertThat(e.cid()).isEqualTo(block.cid()));
  }

  @Test
  void anIdentityCidCarriesItsBytesAndAdmitsNoOthers() {
    Cid cid = Cid.v1(Multicodec.RAW, Multihash.of(Multihash.IDENTITY, HELLO));

    assertThat(Block.inline(cid).toByteArray()).isEqualTo(HELLO);
    assertThat(Block.verified(cid, ByteBuffer.wrap(HELLO))).isEqualTo(Block.inline(cid));
    assertThatThrownBy(() -> Block.verified(cid, ByteBuffer.wrap(new byte[200])))
        .isInstanceOf(HashMismatchException.class);
  }
}
