package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CidTest {

  @Test
  void publishedVectorsParseAndPrint() throws IOException {
    for (String[] row : Vectors.rows("cid-vectors.csv")) {
      Cid cid = Cid.parse(row[0]);

      assertThat(cid.version()).isEqualTo(Integer.parseInt(row[1]));
      assertThat(cid.codec()).isEqualTo(Multicodec.parse(row[2]));
      if (!row[3].isEmpty()) {
        assertThat(cid.multihash().toString()).isEqualTo(row[3]);
      }
      assertThat(cid.toString()).isEqualTo(row[4]);
      assertThat(Cid.decode(cid.toBytes())).isEqualTo(cid);
    }
  }

  @ParameterizedTest
  @EnumSource(Multibase.class)
  void version1IsReadInEveryEncoding(Multibase base) {
    Cid cid = Block.copyOf(new byte[] {1, 2, 3}).cid();

    assertThat(Cid.parse(cid.toString(base))).isEqualTo(cid);
  }

  @Test
  void version0AndVersion1ConvertBothWaysAndDifferAsValues() {
    Cid version0 = Cid.parse("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR");

    Cid version1 = version0.toV1();

    assertThat(version1.toString())
        .isEqualTo("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi");
    assertThat(version1.toV0()).contains(version0);
    assertThat(version1).isNotEqualTo(version0);
    assertThat(version1.multihash()).isEqualTo(version0.multihash());
    assertThat(version1.withCodec(Multicodec.RAW).toV0()).isEmpty();
  }

  @Test
  void randomCidsReturnFromTextAndBytes() {
    long seed = Seeds.next();
    Random random = new Random(seed);
    for (int i = 0; i < 2_000; i++) {
      byte[] digest = new byte[random.nextInt(Multihash.DIGEST_BYTES_MAX + 1)];
      random.nextBytes(digest);
      Multihash multihash = Multihash.of(random.nextInt(0x10000), digest);
      Cid cid = Cid.v1(random.nextLong() >>> (1 + random.nextInt(62)), multihash);

      assertThat(Cid.parse(cid.toString())).as("ashlar.seed=%d", seed).isEqualTo(cid);
      assertThat(Cid.decode(cid.toBytes())).as("ashlar.seed=%d", seed).isEqualTo(cid);
    }
  }

  @Test
  void flippedAndCutBytesAreRefusedOrReadAsWhatTheySay() {
    long seed = Seeds.next();
    Random random = new Random(seed);
    byte[] original = Block.copyOf(new byte[] {7}).cid().toBytes();
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = java.util.Arrays.copyOf(original, random.nextInt(original.length + 4));
      for (int flips = random.nextInt(3); flips > 0 && bytes.length > 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        assertThat(Cid.decode(bytes).toBytes()).as("ashlar.seed=%d", seed).isEqualTo(bytes);
      } catch (MalformedException e) {
        assertThat(e.offset()).as("ashlar.seed=%d", seed).isBetween(0L, (long) bytes.length);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'',more than 0",
    "b,more than 1",
    "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMn0,'0'",
    "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMn,unknown multibase prefix",
    "zQmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR,without a multibase prefix",
    "bafkqaa,",
    "bafkqaaaa,",
    "f02551220,version 0 or 1",
    "f0155122000,cut off",
    "f01550000ff,bytes follow",
    "f0180001200,shortest form"
  })
  void malformedTextIsRefused(String text, String what) {
    assertThatThrownBy(() -> Cid.parse(text))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining(what == null ? "offset" : what);
  }

  @Test
  void endlessTextIsRefusedBeforeItIsDecoded() {
    assertThatThrownBy(() -> Cid.parse("z" + "1".repeat(1_000_000)))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("longer than 512");
  }

  @Test
  void version0TakesNothingButSha256() {
    assertThatThrownBy(() -> Cid.v0(Multihash.of(0x13, new byte[32])))
        .isInstanceOf(MalformedException.class);
    assertThatThrownBy(
            () ->
                Cid.parse("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR")
                    .toString(Multibase.BASE32))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
