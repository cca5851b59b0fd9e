package dev.ashlar.benchmarks;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/** HTTP requests over keep-alive connections, with as little work of its own as can be. */
final class LoadClient {

  private static final long ROUND_MILLIS = 3_000;

  private LoadClient() {}

  /** Puts of blocks that all differ. */
  static LongFunction<byte[]> puts(AtomicLong number, byte[] body) {
    byte[] head =
        ("POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + body.length + "\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    return i -> {
      byte[] request = Arrays.copyOf(head, head.length + body.length);
      System.arraycopy(body, 0, request, head.length, body.length);
      ByteBuffer.wrap(request).putLong(head.length, number.incrementAndGet());
      return request;
    };
  }

  /** Requests a second over so many connections, each with one request under way. */
  static double load(int port, int concurrency, LongFunction<byte[]> requests) {
    AtomicLong done = new AtomicLong();
    long end = System.nanoTime() + ROUND_MILLIS * 1_000_000;
    List<Thread> clients = new ArrayList<>();
    long start = System.nanoTime();
    for (int c = 0; c < concurrency; c++) {
      int first = c;
      Thread client = new Thread(() -> client(port, first, end, requests, done));
      client.start();
      clients.add(client);
    }
    try {
      for (Thread client : clients) {
        client.join();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return done.get() / ((System.nanoTime() - start) / 1e9);
  }

  private static void client(
      int port, int first, long end, LongFunction<byte[]> requests, AtomicLong done) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      InputStream in = new BufferedInputStream(socket.getInputStream(), 64 << 10);
      for (long i = first; System.nanoTime() < end; i++) {
        out.write(requests.apply(i));
        readResponse(in);
        done.incrementAndGet();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void readResponse(InputStream in) throws IOException {
    String status = line(in);
    if (!status.startsWith("HTTP/1.1 20")) {
      throw new IOException(status);
    }
    long length = 0;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      if (header.regionMatches(true, 0, "content-length:", 0, 15)) {
        length = Long.parseLong(header.substring(15).strip());
      }
    }
    in.skipNBytes(length);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("the server closed the connection");
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }
}
