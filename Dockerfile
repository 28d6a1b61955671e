# The daemon in a container: `docker build -t corpusmill .` from the top of the checkout.
# The wheels are built once, in a stage that is thrown away; what runs has no compiler, no pip and no root.

FROM python:3.13-slim AS build
WORKDIR /src
COPY deploy/requirements.txt deploy/requirements-build.txt deploy/
RUN python -m venv --without-pip /opt/corpusmill
RUN python -m pip --python /opt/corpusmill/bin/python install --quiet --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r deploy/requirements.txt
RUN python -m venv /opt/build
RUN /opt/build/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r deploy/requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY clients clients
RUN /opt/build/bin/python -m pip wheel --quiet --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir /wheels ./clients .
RUN python -m pip --python /opt/corpusmill/bin/python install --quiet --no-cache-dir --disable-pip-version-check --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/corpusmill --create-home --shell /usr/sbin/nologin corpusmill
COPY --from=build /opt/corpusmill /opt/corpusmill
ENV PATH=/opt/corpusmill/bin:$PATH
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/corpusmill
VOLUME /var/lib/corpusmill
EXPOSE 8378
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8378/livez', timeout=2)"]
ENTRYPOINT ["corpusmill"]
CMD ["serve", "--config", "/etc/corpusmill/corpusmill.toml", "--data", "/var/lib/corpusmill", "--host", "0.0.0.0"]
