package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Mutations;
import dev.ashlar.block.Seeds;
import dev.ashlar.http.Kubo.BadArgument;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever comes as multipart, in pieces of any size, is taken apart or refused by name. */
class HostileMultipartTest {

  private static final int RUNS = Integer.getInteger("ashlar.runs", 1) * 10_000;
  private static final String TYPE = "multipart/form-data; boundary=edge";
  private static final List<String> BODIES =
      List.of(
          "--edge\r\nContent-Disposition: form-data; name=\"path\"; filename=\"a%2Fb\"\r\n"
              + "Content-Type: application/octet-stream\r\n\r\nbytes\r\n-\r\n\r\n--edge\r\n"
              + "Content-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n--edge--\r\n",
          "--edge\r\nContent-Disposition: form-data; name=\"d\"; filename=\"dir\"\r\n"
              + "Content-Type: application/x-directory\r\n\r\n\r\n--edge\r\n"
              + "Content-Disposition: form-data; name=\"f\"; filename*=UTF-8''%e2%82%ac\r\n"
              + "Content-Transfer-Encoding: binary\r\n\r\n\r\r\n\r\n--edge--",
          "--edge\r\nContent-Disposition: form-data; name=\"m\"\r\n"
              + "Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n"
              + "Content-Disposition: file; filename=\"x\"\r\n\r\nx\r\n--inner--\r\n--edge--\r\n");

  private final long seed = Seeds.next();
  private final Random random = new Random(seed);

  @Test
  void bodies() {
    Mutations mutations =
        new Mutations(
            BODIES.stream().map(body -> body.getBytes(StandardCharsets.ISO_8859_1)).toList(),
            random);
    int taken = 0;
    for (int i = 0; i < RUNS; i++) {
      byte[] input = mutations.next();
      try {
        assertThat(contentOf(TYPE, input)).isLessThanOrEqualTo(input.length);
        taken++;
      } catch (BadArgument refusal) {
        assertThat(refusal.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError(
            "-Dashlar.seed=" + seed + ": " + HexFormat.of().formatHex(input), e);
      }
    }
    assertThat(taken).isPositive();
  }

  @Test
  void boundaries() {
    byte[] body = BODIES.get(0).getBytes(StandardCharsets.ISO_8859_1);
    Mutations mutations =
        new Mutations(List.of(TYPE.getBytes(StandardCharsets.ISO_8859_1)), random);
    for (int i = 0; i < RUNS; i++) {
      String type = new String(mutations.next(), StandardCharsets.ISO_8859_1);
      try {
        assertThat(contentOf(type, body)).isLessThanOrEqualTo(body.length);
      } catch (BadArgument refusal) {
        assertThat(refusal.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError("-Dashlar.seed=" + seed + ": " + type, e);
      }
    }
  }

  /** How many bytes all parts have. */
  private long contentOf(String type, byte[] body) {
    long[] bytes = {0};
    MultipartDecoder decoder =
        new MultipartDecoder(
            type, (name, fileName, contentType) -> (part, last) -> bytes[0] += part.length);
    try {
      for (int at = 0; at < body.length; ) {
        int end = Math.min(body.length, at + 1 + random.nextInt(60));
        decoder.feed(Unpooled.wrappedBuffer(body, at, end - at));
        at = end;
      }
      decoder.finish();
    } finally {
      decoder.close();
    }
    return bytes[0];
  }
}
