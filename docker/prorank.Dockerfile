# One image for everything that `prorank` does but to run an engine of its own. Linted, but not built yet: no container ran where this was written.
# Build from the root of the repository: docker build --file docker/prorank.Dockerfile --tag prorank .

FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY prorank_search prorank_search
COPY ingest ingest
COPY training training
COPY ui ui
# `cpu` keeps gigabytes of CUDA libraries out; `auto` or a CUDA version brings them in.
ARG UV_TORCH_BACKEND=cpu
# `--seed`: `prorank models pull` fetches packages with the pip that this brings.
RUN uv venv --seed /opt/prorank \
 && uv pip install --python /opt/prorank/bin/python --constraint constraints.txt '.[model,opensearch,elasticsearch,aws,embedding,readers,serve,ui,train]'

FROM python:3.12-slim
COPY --from=build /opt/prorank /opt/prorank
RUN useradd --create-home --uid 10001 prorank \
 && install --directory --owner prorank --group prorank /data
USER 10001
ENV PATH=/opt/prorank/bin:$PATH PRORANK_HOME=/data
VOLUME /data
EXPOSE 8080 8501
ENTRYPOINT ["prorank"]
CMD ["ui", "--host", "0.0.0.0"]
