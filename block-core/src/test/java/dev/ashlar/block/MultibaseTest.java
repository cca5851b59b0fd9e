package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MultibaseTest {

  @Test
  void publishedVectorsDecodeAndCanonicalOnesEncode() throws IOException {
    for (String[] row : Vectors.rows("multibase-vectors.csv")) {
      Multibase base = named(row[1]);
      byte[] bytes = Vectors.hex(row[2]);

      assertThat(Multibase.decode(row[3])).as(row[3]).isEqualTo(bytes);
      if (row[0].equals("canonical")) {
        assertThat(base.encode(bytes)).isEqualTo(row[3]);
      }
    }
  }

  @Test
  void everyEncodingReturnsRandomBytes() {
    long seed = Seeds.next();
    Random random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = new byte[random.nextInt(80)];
      random.nextBytes(bytes);
      Arrays.fill(bytes, 0, Math.min(bytes.length, random.nextInt(3)), (byte) 0);
      for (Multibase base : Multibase.values()) {
        assertThat(Multibase.decode(base.encode(bytes)))
            .as("%s, ashlar.seed=%d", base, seed)
            .isEqualTo(bytes);
      }
    }
  }

  @Test
  void randomTextEitherDecodesToWhatItSaysOrIsRefused() {
    long seed = Seeds.next();
    Random random = new Random(seed);
    String characters = "abcdefzZkKmMuU0189=-_+/ QlO\u0000\u00e9";
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(20); length >= 0; length--) {
        text.append(characters.charAt(random.nextInt(characters.length())));
      }
      byte[] bytes;
      try {
        bytes = Multibase.decode(text.toString());
      } catch (MalformedException e) {
        assertThat(e.offset()).isBetween(0L, (long) text.length());
        continue;
      }
      Multibase base = Multibase.withPrefix(text.charAt(0)).orElseThrow();
      assertThat(base.encode(bytes))
          .as("ashlar.seed=%d", seed)
          .isEqualToIgnoringCase(text.toString());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'',0",
    "1abc,0",
    "f0g,2",
    "f012,3",
    "ba,1",
    "bab,2",
    "z0,1",
    "zI,1",
    "mA,1",
    "cpfsxgidnmfxgsib,16",
    "MeWVzIG1hbmkgIQ=,16",
    "MeWVz====,5",
    "k!,1"
  })
  void malformedTextIsRefusedWithItsPlace(String text, long offset) {
    assertThatThrownBy(() -> Multibase.decode(text))
        .isInstanceOfSatisfying(
            MalformedException.class,
            e -> assertThat(e.offset()).as(e.getMessage()).isEqualTo(offset));
  }

  private static Multibase named(String name) {
    return Arrays.stream(Multibase.values())
        .filter(base -> base.specificationName().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
