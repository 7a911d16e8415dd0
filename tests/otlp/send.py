"""Sends what Claude Code sends, with the exporters of the OpenTelemetry SDK: protobuf, gzip, every batch twice.

Usage: send.py BASE_URL
"""

import sys
import time

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

SESSION = "0f9c2f4e-5d0b-4c55-9a50-3f6f1f0a7c11"
BASE = {"session.id": SESSION, "user.email": "sam@example.com", "terminal.type": "xterm"}


def twice(base, method, done):
    """An exporter that sends each batch a second time, as one does whose first answer was lost."""

    class Twice(base):
        def __init__(self, inner):
            self.inner = inner

        def export(self, batch):
            answers = [self.inner.export(batch), self.inner.export(batch)]
            if any(answer is not done for answer in answers):
                sys.exit(f"{method}: an export was refused")
            return done

        def shutdown(self):
            self.inner.shutdown()

        def force_flush(self, timeout_millis=30_000):
            return True

    return Twice


def send_logs(url, resource):
    exporter = twice(LogRecordExporter, "logs", LogRecordExportResult.SUCCESS)(
        OTLPLogExporter(endpoint=f"{url}/v1/logs", compression=Compression.Gzip)
    )
    provider = LoggerProvider(resource=resource)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("com.anthropic.claude_code.events", "2.1.240")
    start = time.time_ns()
    events = [
        ("user_prompt", {"prompt": "Port the parser", "prompt_length": 15, "prompt.id": "pr-1"}),
        (
            "api_request",
            {
                "model": "claude-opus-5[1m]",
                "cost_usd": 0.0341,
                "cost_usd_micros": 34100,
                "input_tokens": 2,
                "output_tokens": 612,
                "cache_read_tokens": 41207,
                "cache_creation_tokens": 1830,
                "request_id": "req_sdk_1",
                "query_source": "repl_main_thread",
                "duration_ms": 1804,
            },
        ),
        ("tool_decision", {"tool_name": "Bash", "tool_use_id": "toolu_sdk_000001", "decision": "accept"}),
        (
            "tool_result",
            {
                "tool_name": "Bash",
                "tool_use_id": "toolu_sdk_000001",
                "success": "true",
                "duration_ms": 1423,
                "tool_input": '{"command": "cargo test"}',
            },
        ),
        ("something_new", {"nested": {"list": [1, "two", 3.5, None]}, "bytes": b"\x00\xff"}),
    ]
    for number, (name, attributes) in enumerate(events, start=1):
        logger.emit(
            LogRecord(
                timestamp=start + number,
                severity_number=SeverityNumber.INFO,
                body=f"claude_code.{name}",
                attributes={**BASE, "event.name": name, "event.sequence": number, **attributes},
            )
        )
    provider.shutdown()


def send_traces(url):
    exporter = twice(SpanExporter, "traces", SpanExportResult.SUCCESS)(
        OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression=Compression.Gzip)
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "my-agent"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("my-agent")
    chat = {"gen_ai.conversation.id": "sdk-chat", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5.4"}
    with tracer.start_as_current_span("invoke_agent helper", attributes={**chat, "gen_ai.operation.name": "invoke_agent"}):
        usage = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50, "gen_ai.response.id": "resp-sdk-1"}
        with tracer.start_as_current_span("chat gpt-5.4", attributes={**chat, **usage}):
            pass
        with tracer.start_as_current_span("a span of nobody", attributes={**chat, "shop.cart": 3}):
            pass
    provider.shutdown()


def send_metrics(url, resource):
    exporter = OTLPMetricExporter(endpoint=f"{url}/v1/metrics", compression=Compression.NoCompression)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider(resource=resource, metric_readers=[reader])
    meter = provider.get_meter("com.anthropic.claude_code")
    meter.create_counter("claude_code.token.usage", unit="tokens").add(612, {**BASE, "type": "output", "model": "claude-opus-5"})
    meter.create_histogram("somebody.latency", unit="ms").record(12.5)
    if not reader.force_flush():
        sys.exit("metrics: an export was refused")
    provider.shutdown()


def main():
    url = sys.argv[1].rstrip("/")
    resource = Resource.create({"service.name": "claude-code", "service.version": "2.1.240"})
    send_logs(url, resource)
    send_traces(url)
    send_metrics(url, resource)


if __name__ == "__main__":
    main()
