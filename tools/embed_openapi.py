#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_openapi.py api/openapi.yaml OUT.cpp: the document as the JSON that GET /openapi.json answers."""
import json
import sys

import yaml

source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    document = json.dumps(yaml.safe_load(file))
# Parts stay below the length that compilers promise for one literal.
parts = [document[at:at + 8000] for at in range(0, len(document), 8000)]
with open(target, "w", encoding="utf-8") as file:
    file.write('#include "main/openapi.h"\n\nnamespace muster {\n\nconst char* const openapi_json =\n')
    for part in parts:
        file.write(f'    R"openapi({part})openapi"\n')
    file.write("    ;\n\n}  // namespace muster\n")
