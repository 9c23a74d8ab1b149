"""What gunicorn serves: one face of the hotline, chosen by ``STRANDLINE_FACE``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "strandline.hotline.site.settings")

application = get_wsgi_application()
