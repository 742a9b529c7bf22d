# Two stages: the wheel is built in one, installed in the other. Both take exactly what the lock
# files name, by hash. tests/system/test_container.py runs these same steps without Docker.

FROM python:3.12.12-slim-bookworm AS build
WORKDIR /src
COPY requirements-build.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY . .
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel .

FROM python:3.12.12-slim-bookworm
WORKDIR /opt/angarium
COPY requirements-run.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-run.lock
COPY --from=build /wheel /wheel
RUN pip install --no-cache-dir --no-deps /wheel/angarium-*.whl

# Nothing but /data is written: run it with --read-only --tmpfs /tmp.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin angarium \
    && install --directory --owner angarium --mode 0700 /data
ENV ANGARIUM_DATA_DIR=/data \
    ANGARIUM_HTTP_HOST=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080

# Everything ends in order within 30 seconds; give it that: docker stop --time 35.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "\
import os, urllib.request; \
port = os.environ.get('ANGARIUM_HTTP_PORT', '8080'); \
urllib.request.urlopen(f'http://127.0.0.1:{port}/health/live', timeout=4)"]
ENTRYPOINT ["angarium"]
CMD ["up"]
