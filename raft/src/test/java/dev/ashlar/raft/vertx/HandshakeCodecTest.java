package dev.ashlar.raft.vertx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.raft.core.MemberId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The bytes by which members introduce themselves are what they have been since version 1. */
class HandshakeCodecTest {

  private static final Hello HELLO =
      new Hello(
          Hello.VERSION,
          Hello.Purpose.JOIN,
          3,
          new UUID(1, 2),
          new MemberId(new UUID(3, 4)),
          new MemberId(new UUID(5, 6)),
          "127.0.0.1:8421",
          List.of("127.0.0.1:8421", "127.0.0.1:8422"),
          new UUID(7, 8));
  private static final Answer ANSWER =
      new Answer(
          Answer.REFUSED,
          new MemberId(new UUID(3, 4)),
          new UUID(1, 2),
          new UUID(5, 6),
          ByteBuffer.wrap(new byte[] {9, 8, 7}),
          "no");

  @Test
  void aHello() {
    String recorded =
        "4153484c000105000000000000000300000000000000010000000000000002000000000000000300"
            + "00000000000004000000000000000500000000000000060000000000000007000000000000000800"
            + "0e3132372e302e302e313a383432310000001d3132372e302e302e313a383432312c3132372e302e"
            + "302e313a38343232";

    assertThat(hex(HELLO.encode())).isEqualTo(recorded);
    assertThat(Hello.decode(bytes(recorded))).isEqualTo(HELLO);
  }

  @Test
  void anAnswer() {
    String recorded =
        "01000000000000000300000000000000040000000000000001000000000000000200000000000000"
            + "05000000000000000600030908076e6f";

    assertThat(hex(ANSWER.encode())).isEqualTo(recorded);
    assertThat(Answer.decode(bytes(recorded))).isEqualTo(ANSWER);
  }

  @Test
  void aFrame() {
    byte[] frame =
        Frames.encode(
                List.of(
                    ByteBuffer.wrap("two ".getBytes(StandardCharsets.US_ASCII)),
                    ByteBuffer.wrap("parts".getBytes(StandardCharsets.US_ASCII))))
            .getBytes();

    assertThat(HexFormat.of().formatHex(frame)).isEqualTo("000000095be143e174776f207061727473");
  }

  @Test
  void aDiscovery() {
    String recorded =
        "member=00000000-0000-0003-0000-000000000004\ncluster=00000000-0000-0001-0000-000000000002\n"
            + "addresses=127.0.0.1:1,127.0.0.1:2\nmembers=a,b";
    Discovery discovery =
        new Discovery(
            new MemberId(new UUID(3, 4)),
            Optional.of(new UUID(1, 2)),
            List.of("127.0.0.1:1", "127.0.0.1:2"),
            List.of("a", "b"));

    assertThat(discovery.encode()).isEqualTo(recorded);
    assertThat(Discovery.decode(recorded)).isEqualTo(discovery);
  }

  private static String hex(ByteBuffer bytes) {
    byte[] array = new byte[bytes.remaining()];
    bytes.duplicate().get(array);
    return HexFormat.of().formatHex(array);
  }

  private static ByteBuffer bytes(String hex) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
  }
}
