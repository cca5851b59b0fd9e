package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MultihashTest {

  @Test
  void publishedDigestsAreComputedAndCutDigestsVerified() throws IOException {
    for (String[] row : Vectors.rows("multihash-vectors.csv")) {
      HashFunction function = HashFunction.parse(row[1]);
      ByteBuffer text = ByteBuffer.wrap(row[3].getBytes(StandardCharsets.UTF_8));
      Multihash multihash = Multihash.decode(Vectors.hex(row[4]));

      assertThat(multihash.code()).isEqualTo(function.code());
      assertThat(multihash.digestBytes()).isEqualTo(Integer.parseInt(row[2]));
      assertThat(multihash.toString()).isEqualTo(row[4]);
      assertThat(Multihash.of(function.code(), multihash.digest())).isEqualTo(multihash);
      assertThat(Block.verified(Cid.v1(Multicodec.RAW, multihash), text).size())
          .isEqualTo(text.remaining());
    }
  }

  @Test
  void everyFunctionVerifiesItsOwnDigestFromHeapAndDirectMemory() {
    byte[] bytes = new byte[20_000];
    new Random(1).nextBytes(bytes);
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    for (long code = 0; code < 0xb300; code++) {
      HashFunction function = HashFunction.withCode(code).orElse(null);
      if (function == null) {
        continue;
      }
      Block block = Block.of(Multicodec.RAW, function, ByteBuffer.wrap(bytes));

      assertThat(block.cid().multihash().digestBytes()).isEqualTo(function.digestBytes());
      assertThat(Block.verified(block.cid(), direct)).isEqualTo(block);
      assertThat(HashFunction.of(block.cid().multihash())).isSameAs(function);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"shake-256", "md5", "sha2-384", "ripemd-160", "identity", "blake2b-152"})
  void functionsThatAreNotComputedAreRefusedByName(String name) {
    assertThatThrownBy(() -> HashFunction.parse(name))
        .isInstanceOf(UnsupportedHashException.class)
        .hasMessageContaining(name);
  }

  @Test
  void digestsThatAreTooShortOrTooLongAreRefused() {
    assertThatThrownBy(() -> HashFunction.of(Multihash.of(0x12, new byte[19])))
        .isInstanceOf(UnsupportedHashException.class)
        .hasMessageContaining("19");
    assertThatThrownBy(() -> HashFunction.of(Multihash.of(0x12, new byte[33])))
        .isInstanceOf(UnsupportedHashException.class)
        .hasMessageContaining("33");
  }

  @ParameterizedTest
  @CsvSource({
    "'',0",
    "12,1",
    "1220,2",
    "122000,2",
    "12200000,2",
    "00810100,1",
    "0000ff,2",
    "920012,1",
  })
  void malformedMultihashesAreRefusedWithTheirPlace(String hex, long offset) {
    assertThatThrownBy(() -> Multihash.decode(Vectors.hex(hex)))
        .isInstanceOfSatisfying(
            MalformedException.class,
            e -> assertThat(e.offset()).as(e.getMessage()).isEqualTo(offset));
  }

  @Test
  void multihashesAreOrderedByTheirBytesUnsigned() {
    Multihash low = Multihash.of(0x12, new byte[] {0x7f});
    Multihash high = Multihash.of(0x12, new byte[] {(byte) 0x80});

    assertThat(low).isLessThan(high);
    assertThat(high).isEqualByComparingTo(Multihash.decode(high.toBytes()));
  }
}
