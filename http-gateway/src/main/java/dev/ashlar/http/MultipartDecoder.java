package dev.ashlar.http;

import dev.ashlar.http.Kubo.BadArgument;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.multipart.Attribute;
import io.netty.handler.codec.http.multipart.DefaultHttpDataFactory;
import io.netty.handler.codec.http.multipart.FileUpload;
import io.netty.handler.codec.http.multipart.HttpPostMultipartRequestDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder;
import io.netty.handler.codec.http.multipart.HttpPostRequestDecoder.EndOfDataDecoderException;
import io.netty.handler.codec.http.multipart.InterfaceHttpData;
import io.netty.handler.codec.http.multipart.MemoryAttribute;
import io.netty.handler.codec.http.multipart.MemoryFileUpload;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Takes a multipart body apart (RFC 7578) as it comes: Netty's decoder, which keeps nothing here.
 * Parts are given away as they begin, and their bytes as they come. For one thread at a time.
 */
final class MultipartDecoder {

  /** Of the headers of one part, which a file's name makes long. */
  private static final int PART_HEADER_BYTES_MAX = 16 << 10;

  private static final int DISCARD_FROM_BYTES = 64 << 10;
  private static final byte[] CR = {'\r'};

  private final HttpPostMultipartRequestDecoder decoder;
  private final Parts parts;
  private boolean holdsCr;

  /** Takes the parts. */
  @FunctionalInterface
  interface Parts {
    /**
     * A part begins.
     *
     * @param name of the form field
     * @param fileName as the client wrote it; empty where there is none
     */
    Content begin(String name, String fileName, String contentType);
  }

  /** Takes the bytes of a part. */
  @FunctionalInterface
  interface Content {
    /** Some more, which are the taker's own; last of all with {@code last}. */
    void add(byte[] bytes, boolean last);
  }

  /**
   * Begins with the body of a request.
   *
   * @throws BadArgument when the request is not multipart
   */
  static MultipartDecoder of(Exchange exchange, Parts parts) {
    exchange.requirePlainBody();
    return new MultipartDecoder(exchange.header("Content-Type").orElse(""), parts);
  }

  /**
   * Begins.
   *
   * @throws BadArgument when the type is not multipart
   */
  MultipartDecoder(String contentType, Parts parts) {
    this.parts = parts;
    if (!contentType.toLowerCase(Locale.ROOT).startsWith("multipart/form-data")) {
      throw new BadArgument("file argument 'path' is required: send multipart/form-data");
    }
    HttpRequest head = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/");
    try {
      head.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
      if (!HttpPostRequestDecoder.isMultipart(head)) {
        throw new BadArgument("the Content-Type lacks the boundary of multipart/form-data");
      }
      this.decoder = new Decoder(head, new Factory());
    } catch (RuntimeException e) {
      throw malformed(e);
    }
  }

  /**
   * Takes what comes next, which is the caller's again afterwards.
   *
   * @throws BadArgument when it is malformed
   */
  void feed(ByteBuf bytes) {
    if (!bytes.isReadable()) {
      return;
    }
    // The decoder takes a CR at the end of what it is given for content, though it may belong to
    // the delimiter: it sees it together with what follows.
    ByteBuf given = holdsCr ? Unpooled.wrappedBuffer(Unpooled.wrappedBuffer(CR), bytes) : bytes;
    holdsCr = given.getByte(given.writerIndex() - 1) == CR[0];
    offer(holdsCr ? given.slice(given.readerIndex(), given.readableBytes() - 1) : given);
  }

  /**
   * Nothing follows.
   *
   * @throws BadArgument when something is missing
   */
  void finish() {
    if (holdsCr) {
      offer(Unpooled.wrappedBuffer(CR));
    }
    try {
      decoder.offer(LastHttpContent.EMPTY_LAST_CONTENT);
      decoder.hasNext();
    } catch (EndOfDataDecoderException e) {
      return; // This is how Netty says that all is there.
    } catch (RuntimeException e) {
      throw malformed(e);
    }
    throw new BadArgument("the multipart body is malformed: it lacks its closing boundary");
  }

  /** Gives up what is held. */
  void close() {
    decoder.destroy();
  }

  private void offer(ByteBuf bytes) {
    try {
      decoder.offer(new DefaultHttpContent(bytes));
    } catch (BadArgument e) {
      throw e;
    } catch (RuntimeException e) {
      throw malformed(e);
    }
  }

  private static BadArgument malformed(RuntimeException why) {
    if (why instanceof BadArgument argument) {
      return argument;
    }
    if (why instanceof HttpPostRequestDecoder.TooLongFormFieldException) {
      return new BadArgument(
          "the header of a part has more than " + PART_HEADER_BYTES_MAX + " bytes");
    }
    // What the decoder says is for those who know its insides.
    return new BadArgument("the multipart body is malformed: see RFC 7578");
  }

  private static void give(Content content, ByteBuf bytes, boolean last) {
    byte[] copy = new byte[bytes.readableBytes()];
    bytes.readBytes(copy);
    bytes.release();
    content.add(copy, last);
  }

  private static final class Decoder extends HttpPostMultipartRequestDecoder {

    Decoder(HttpRequest head, Factory factory) {
      super(factory, head, StandardCharsets.UTF_8, -1, PART_HEADER_BYTES_MAX);
      setDiscardThreshold(DISCARD_FROM_BYTES);
    }

    @Override
    protected void addHttpData(InterfaceHttpData data) {
      // A part that is complete has been given away before.
    }
  }

  private final class Factory extends DefaultHttpDataFactory {

    Factory() {
      super(false);
    }

    @Override
    public Attribute createAttribute(HttpRequest request, String name) {
      Content content = parts.begin(name, "", "");
      return new MemoryAttribute(name) {
        @Override
        public void addContent(ByteBuf bytes, boolean last) {
          give(content, bytes, last);
          if (last) {
            setCompleted();
          }
        }

        @Override
        public void setContent(ByteBuf bytes) {
          addContent(bytes, true);
        }
      };
    }

    @Override
    public Attribute createAttribute(HttpRequest request, String name, long size) {
      return createAttribute(request, name);
    }

    @Override
    public FileUpload createFileUpload(
        HttpRequest request,
        String name,
        String fileName,
        String contentType,
        String transferEncoding,
        Charset charset,
        long size) {
      Content content = parts.begin(name, fileName, contentType);
      return new MemoryFileUpload(name, fileName, contentType, transferEncoding, charset, size) {
        @Override
        public void addContent(ByteBuf bytes, boolean last) {
          give(content, bytes, last);
          if (last) {
            setCompleted();
          }
        }

        @Override
        public void setContent(ByteBuf bytes) {
          addContent(bytes, true);
        }
      };
    }
  }
}
