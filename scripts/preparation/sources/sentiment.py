"""Sentiment in four domains: C. J. Hutto and E. Gilbert, VADER, ICWSM 2014, as packed in vaderSentiment 0.5.

Ratings are means of ten readers from −4 to 4; the domain is the group.
"""

import html
import io
import tarfile
import zipfile

from ..downloads import Package, fetch
from ..errors import InputError
from ..rows import Row, Source, split, without_duplicates

PACKAGE = Package(
    "vaderSentiment==0.5", "vaderSentiment-0.5.zip",
    "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a")
ARCHIVE = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
DOMAINS = {"movie": "movieReviewSnippets", "nyt": "nytEditorialSnippets", "tweets": "tweets",
           "amazon": "amazonReviewSnippets"}
LABELS = ["negative", "positive"]
SMALLEST_RATING = 0.5  # a mean nearer to zero is no opinion


def inputs(arguments):
    return {"package": PACKAGE.sha256}


def load(arguments):
    """17,464 rows to train on and 1,946 to test with."""
    texts = read_archive(fetch(PACKAGE))
    rows = [row for domain, text in texts.items() for row in domain_rows(text, domain)]
    train, test = split(without_duplicates(rows))
    return Source("four-domain sentiment of vaderSentiment 0.5 (Hutto and Gilbert, ICWSM 2014)", LABELS, train, test)


def read_archive(path):
    """The rated sentences of each domain, an archive inside an archive."""
    with zipfile.ZipFile(path) as package:
        inner = io.BytesIO(package.read(ARCHIVE))
    with tarfile.open(fileobj=inner) as archive:
        member = lambda stem: archive.extractfile(f"hutto_ICWSM_2014/{stem}_GroundTruth.txt")
        return {domain: member(stem).read().decode("utf-8") for domain, stem in DOMAINS.items()}


def domain_rows(text, domain):
    """Rows of one file: identifier, mean rating and sentence, between tabs."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line:
            continue
        columns = line.split("\t", 2)
        if len(columns) != 3:
            raise InputError(f"{DOMAINS[domain]}_GroundTruth.txt:{number}: expected 3 columns, found {len(columns)}")
        rating = float(columns[1])
        if abs(rating) >= SMALLEST_RATING:
            yield Row(html.unescape(columns[2]).strip(), LABELS[rating > 0], group=domain)
