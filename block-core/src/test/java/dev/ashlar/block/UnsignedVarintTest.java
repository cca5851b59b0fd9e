package dev.ashlar.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnsignedVarintTest {

  @Test
  void publishedVectorsEncodeAndDecode() throws IOException {
    for (String[] row : Vectors.rows("varint-vectors.csv")) {
      long value = Long.parseLong(row[0]);
      byte[] bytes = Vectors.hex(row[1]);

      assertThat(UnsignedVarint.encode(value)).isEqualTo(bytes);
      assertThat(UnsignedVarint.size(value)).isEqualTo(bytes.length);
      assertThat(UnsignedVarint.read(ByteBuffer.wrap(bytes))).isEqualTo(value);
    }
  }

  @Test
  void everyMagnitudeReturns() {
    long seed = Seeds.next();
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      long value = random.nextLong() >>> (1 + random.nextInt(63));
      assertThat(UnsignedVarint.read(ByteBuffer.wrap(UnsignedVarint.encode(value))))
          .as("ashlar.seed=%d", seed)
          .isEqualTo(value);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'',0,cut off",
    "80,1,cut off",
    "8000,1,shortest form",
    "8100,1,shortest form",
    "ffffffffffffffffff,8,longer than nine",
    "ffffffffffffffffff01,8,longer than nine"
  })
  void malformedVarintsAreRefusedWithTheirPlace(String hex, long offset, String what) {
    assertThatThrownBy(() -> UnsignedVarint.read(ByteBuffer.wrap(Vectors.hex(hex))))
        .isInstanceOfSatisfying(
            MalformedException.class,
            e -> {
              assertThat(e.offset()).isEqualTo(offset);
              assertThat(e).hasMessageContaining(what);
            });
  }

  @Test
  void negativeValuesHaveNoEncoding() {
    assertThatThrownBy(() -> UnsignedVarint.encode(-1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
